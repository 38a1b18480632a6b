//! How each type stands on the wire.

use super::{CdrError, CdrProblem, Decoder, Encoder};

/// A value with a CDR form.
pub trait Wire: Sized {
    /// Least bytes that a value takes, without alignment; never 0.
    const MIN_BYTES: usize;

    /// Appends the value.
    fn encode(&self, e: &mut Encoder);

    /// Reads a value.
    ///
    /// # Errors
    /// [`CdrError`] where the bytes do not fit.
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CdrError>;

    /// Appends the elements of an array or sequence.
    fn encode_all(values: &[Self], e: &mut Encoder) {
        for value in values {
            value.encode(e);
        }
    }

    /// Reads `count` elements; the caller has checked that the bytes can hold them.
    ///
    /// # Errors
    /// [`CdrError`] where the bytes do not fit.
    fn decode_all(count: usize, d: &mut Decoder<'_>) -> Result<Vec<Self>, CdrError> {
        let mut out = Vec::with_capacity(count);
        for i in 0..count {
            out.push(Self::decode(d).map_err(|e| e.element(i))?);
        }
        Ok(out)
    }
}

macro_rules! numbers {
    ($($t:ty),*) => {$(
        impl Wire for $t {
            const MIN_BYTES: usize = size_of::<$t>();

            fn encode(&self, e: &mut Encoder) {
                e.align(Self::MIN_BYTES);
                e.bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn decode(d: &mut Decoder<'_>) -> Result<Self, CdrError> {
                d.align(Self::MIN_BYTES)?;
                let mut raw = [0; size_of::<$t>()];
                raw.copy_from_slice(d.take(Self::MIN_BYTES)?);
                Ok(if d.big_endian { <$t>::from_be_bytes(raw) } else { <$t>::from_le_bytes(raw) })
            }

            fn encode_all(values: &[Self], e: &mut Encoder) {
                if values.is_empty() {
                    return;
                }
                e.align(Self::MIN_BYTES);
                e.bytes.reserve(size_of_val(values));
                for value in values {
                    e.bytes.extend_from_slice(&value.to_le_bytes());
                }
            }

            fn decode_all(count: usize, d: &mut Decoder<'_>) -> Result<Vec<Self>, CdrError> {
                if count == 0 {
                    return Ok(Vec::new());
                }
                d.align(Self::MIN_BYTES)?;
                // The caller held the count against the bytes left, so this does not overflow.
                let (raws, _) = d.take(count * Self::MIN_BYTES)?.as_chunks::<{ size_of::<$t>() }>();
                let number = if d.big_endian { <$t>::from_be_bytes } else { <$t>::from_le_bytes };
                Ok(raws.iter().map(|raw| number(*raw)).collect())
            }
        }
    )*};
}
numbers!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

impl Wire for bool {
    const MIN_BYTES: usize = 1;

    fn encode(&self, e: &mut Encoder) {
        u8::from(*self).encode(e);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CdrError> {
        let at = d.at;
        match u8::decode(d)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(CdrError::new(at, CdrProblem::Bool(other))),
        }
    }
}

impl Wire for String {
    const MIN_BYTES: usize = 4;

    fn encode(&self, e: &mut Encoder) {
        e.length(self.len().saturating_add(1));
        e.bytes.extend_from_slice(self.as_bytes());
        e.bytes.push(0);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CdrError> {
        let count = u32::decode(d)? as usize;
        let at = d.at;
        let fail = |problem| Err(CdrError::new(at, problem));
        match d.take(count)?.split_last() {
            // Some writers leave the closing zero of an empty text away.
            None => Ok(String::new()),
            Some((0, text)) => match std::str::from_utf8(text) {
                Ok(text) => Ok(text.to_owned()),
                Err(e) => fail(CdrProblem::Utf8(e.valid_up_to())),
            },
            Some((last, _)) => fail(CdrProblem::Unterminated(*last)),
        }
    }
}

impl<T: Wire> Wire for Vec<T> {
    const MIN_BYTES: usize = 4;

    fn encode(&self, e: &mut Encoder) {
        e.length(self.len());
        T::encode_all(self, e);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CdrError> {
        let count = d.length(T::MIN_BYTES)?;
        T::decode_all(count, d)
    }
}

impl<T: Wire, const N: usize> Wire for [T; N] {
    const MIN_BYTES: usize = N * T::MIN_BYTES;

    fn encode(&self, e: &mut Encoder) {
        T::encode_all(self, e);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CdrError> {
        let left = d.left();
        if Self::MIN_BYTES > left {
            return Err(d.fail(CdrProblem::Short { needed: Self::MIN_BYTES, left }));
        }
        let at = d.at;
        let values = T::decode_all(N, d)?;
        // `decode_all` gives as many as it was asked for; a type that does not is refused like short input.
        values
            .try_into()
            .map_err(|v: Vec<T>| CdrError::new(at, CdrProblem::Short { needed: N, left: v.len() }))
    }
}
