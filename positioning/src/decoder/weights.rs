//! Weights as a small file: a line of JSON that says what they are and where they come from, then 8-bit numbers.
//!
//! Each output of a layer has a scale of its own, so that 8 bits lose nothing that counts; biases stay as they are.

use serde::{Deserialize, Serialize};

use super::network::Network;
use super::shape::Shape;

/// First word of the header.
const FORMAT: &str = "shelfwright decoder 1";

/// Where weights come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The command that makes them again.
    pub command: String,
    /// What the lessons were.
    pub lessons: String,
    /// Lessons in all.
    pub count: u64,
    /// Seed of lessons and training.
    pub seed: u64,
    /// Steps of training.
    pub steps: u64,
    /// The prior that the lessons' radios were drawn from.
    pub prior: serde_json::Value,
    /// Scores on lessons held out, by name.
    pub scores: std::collections::BTreeMap<String, f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    shape: Shape,
    provenance: Provenance,
}

/// A decoder's weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Sizes of the network.
    pub shape: Shape,
    /// Where they come from.
    pub provenance: Provenance,
    pub(crate) network: Network,
}

/// Why weights are refused.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The first line is no header of ours.
    #[error("weights: header line: {0}; expected JSON with format {FORMAT:?}, shape and provenance")]
    Header(String),
    /// Other sizes than the header says.
    #[error("weights: {found} bytes after the header, expected {expected}")]
    Size {
        /// Bytes found.
        found: usize,
        /// Bytes that the shape needs.
        expected: usize,
    },
    /// Weights for other tokens or answers.
    #[error(
        "weights: they take {} numbers a tag and give {}, expected {} and {}; rows and faces have weights of their own",
        .found[0], .found[1], .expected[0], .expected[1]
    )]
    Kind {
        /// Inputs and outputs found.
        found: [usize; 2],
        /// Inputs and outputs needed.
        expected: [usize; 2],
    },
    /// A second set for one program.
    #[error("weights: others are in use already")]
    InUse,
    /// A shape that makes no network.
    #[error("weights: shape {0:?} makes no network; heads must divide the width")]
    Shape(Shape),
}

impl Weights {
    /// Takes tensors as [`Shape::tensors`] lists them.
    ///
    /// # Errors
    /// Tensors of other sizes.
    pub fn new(shape: Shape, values: &[Vec<f32>], provenance: Provenance) -> Result<Self, WeightsError> {
        let network = shape.network(values).ok_or_else(|| WeightsError::Shape(shape.clone()))?;
        Ok(Self { shape, provenance, network })
    }

    /// The file's bytes.
    pub fn encode(&self, values: &[Vec<f32>]) -> Vec<u8> {
        let header =
            Header { format: FORMAT.into(), shape: self.shape.clone(), provenance: self.provenance.clone() };
        // Plain numbers and texts always make JSON.
        let mut out = serde_json::to_vec(&header).unwrap_or_default();
        out.push(b'\n');
        for (dims, values) in self.shape.tensors().iter().zip(values) {
            match dims.as_slice() {
                [_, outputs] => {
                    let mut scales = vec![0f32; *outputs];
                    for row in values.chunks_exact(*outputs) {
                        scales.iter_mut().zip(row).for_each(|(s, v)| *s = s.max(v.abs() / 127.0));
                    }
                    scales.iter_mut().for_each(|s| *s = s.max(f32::MIN_POSITIVE));
                    out.extend(scales.iter().flat_map(|s| s.to_le_bytes()));
                    out.extend(values.chunks_exact(*outputs).flat_map(|row| {
                        row.iter()
                            .zip(&scales)
                            .map(|(v, s)| ((v / s).round() as i8) as u8)
                            .collect::<Vec<_>>()
                    }));
                }
                _ => out.extend(values.iter().flat_map(|v| v.to_le_bytes())),
            }
        }
        out
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// Anything but a whole file of this format.
    pub fn decode(bytes: &[u8]) -> Result<Self, WeightsError> {
        let end = bytes.iter().take(1 << 20).position(|b| *b == b'\n');
        let end = end.ok_or_else(|| WeightsError::Header("no line end".into()))?;
        let header: Header =
            serde_json::from_slice(&bytes[..end]).map_err(|e| WeightsError::Header(e.to_string()))?;
        if header.format != FORMAT {
            return Err(WeightsError::Header(format!("format {:?}", header.format)));
        }
        let sizes = [header.shape.inputs, header.shape.width, header.shape.hidden, header.shape.outputs];
        if sizes.iter().any(|s| *s == 0 || *s > 1 << 12) || header.shape.blocks > 64 {
            return Err(WeightsError::Shape(header.shape));
        }
        let tensors = header.shape.tensors();
        let size = |d: &Vec<usize>| match d.as_slice() {
            [inputs, outputs] => inputs * outputs + 4 * outputs,
            d => 4 * d.iter().product::<usize>(),
        };
        let mut rest = &bytes[end + 1..];
        let expected: usize = tensors.iter().map(size).sum();
        if rest.len() != expected {
            return Err(WeightsError::Size { found: rest.len(), expected });
        }
        let mut values = Vec::with_capacity(tensors.len());
        for dims in &tensors {
            let (mine, after) = rest.split_at(size(dims));
            rest = after;
            values.push(match dims.as_slice() {
                [_, outputs] => {
                    let (scales, q) = mine.split_at(4 * outputs);
                    let scales = floats(scales);
                    q.chunks_exact(*outputs)
                        .flat_map(|row| row.iter().zip(&scales).map(|(q, s)| f32::from(*q as i8) * s))
                        .collect()
                }
                _ => floats(mine),
            });
        }
        let shape = header.shape;
        let network = shape.network(&values).ok_or_else(|| WeightsError::Shape(shape.clone()))?;
        Ok(Self { shape, provenance: header.provenance, network })
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}
