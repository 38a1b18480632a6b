//! Between messages and the types of `domain`.
//!
//! To a message a conversion cannot fail. From a message it can, and says which field holds what and what is allowed.

mod findings;
mod locator;
mod time;

/// A message's field that holds nothing the library's types allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{type_name}: field {field}: {problem}")]
pub struct ConvertError {
    /// The message's type.
    pub type_name: &'static str,
    /// The field.
    pub field: &'static str,
    /// What was found and what is allowed.
    pub problem: String,
}

/// Names type and field in a conversion's error.
fn at<M: crate::Message, E: ToString>(field: &'static str) -> impl Fn(E) -> ConvertError {
    move |e| ConvertError { type_name: M::TYPE_NAME, field, problem: e.to_string() }
}
