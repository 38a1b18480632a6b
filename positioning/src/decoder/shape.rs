//! The network's shape, and its numbers as a list of tensors: what training and inference must agree on.

use serde::{Deserialize, Serialize};

use super::network::{Block, Linear, Network};

/// Sizes of a set network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Numbers of a token.
    pub inputs: usize,
    /// Numbers of a tag inside.
    pub width: usize,
    /// Blocks of attention and feed-forward.
    pub blocks: usize,
    /// Attention heads; they divide the width.
    pub heads: usize,
    /// Numbers inside the feed-forward parts.
    pub hidden: usize,
    /// Numbers of an answer.
    pub outputs: usize,
}

impl Shape {
    /// Dimensions of all tensors: of each layer the weights (inputs, outputs), then the biases.
    pub fn tensors(&self) -> Vec<Vec<usize>> {
        let (w, h) = (self.width, self.hidden);
        let mut layers = vec![(self.inputs, w)];
        for _ in 0..self.blocks {
            layers.extend([(w, w), (w, w), (w, w), (w, w), (w, h), (h, w)]);
        }
        layers.extend([(w, w), (w, self.outputs)]);
        layers.into_iter().flat_map(|(i, o)| [vec![i, o], vec![o]]).collect()
    }

    /// Parameters in all.
    pub fn parameters(&self) -> usize {
        self.tensors().iter().map(|d| d.iter().product::<usize>()).sum()
    }

    /// The network of tensors as [`Shape::tensors`] lists them; `None` where their sizes are others.
    pub(crate) fn network(&self, values: &[Vec<f32>]) -> Option<Network> {
        let tensors = self.tensors();
        let fits = values.len() == tensors.len()
            && self.heads > 0
            && self.width.is_multiple_of(self.heads)
            && values.iter().zip(&tensors).all(|(v, d)| v.len() == d.iter().product::<usize>());
        if !fits {
            return None;
        }
        let mut layers = tensors.chunks_exact(2).zip(values.chunks_exact(2)).map(|(dims, v)| Linear {
            inputs: dims[0][0],
            outputs: dims[0][1],
            w: v[0].clone(),
            b: v[1].clone(),
        });
        let embed = layers.next()?;
        let mut blocks = Vec::with_capacity(self.blocks);
        for _ in 0..self.blocks {
            blocks.push(Block {
                query: layers.next()?,
                key: layers.next()?,
                value: layers.next()?,
                out: layers.next()?,
                up: layers.next()?,
                down: layers.next()?,
            });
        }
        Some(Network { heads: self.heads, embed, blocks, head: layers.next()?, answer: layers.next()? })
    }
}
