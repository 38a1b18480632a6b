//! What every message type has, and the enum over all of them.

use crate::cdr::{self, CdrError, Wire};

/// A ROS message type.
pub trait Message: Wire + Clone + std::fmt::Debug + Default + PartialEq + Send + Sync + 'static {
    /// Full name, `sensor_msgs/msg/LaserScan`.
    const TYPE_NAME: &'static str;
    /// RIHS01 type hash (REP-2016).
    const TYPE_HASH: &'static str;
    /// Definition with all it uses, as rosbag2 stores it (`ros2msg`).
    const DEFINITION: &'static str;

    /// As CDR with its encapsulation header: XCDR1, little endian.
    fn to_cdr(&self) -> Vec<u8> {
        cdr::to_bytes(self)
    }

    /// From CDR with its encapsulation header, either byte order.
    ///
    /// # Errors
    /// [`CdrError`] names the type, the field and the offset of the first byte that does not fit.
    fn from_cdr(bytes: &[u8]) -> Result<Self, CdrError> {
        cdr::from_bytes(Self::TYPE_NAME, bytes)
    }
}

/// What is known of a type by its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeInfo {
    /// Full name, `sensor_msgs/msg/LaserScan`.
    pub name: &'static str,
    /// RIHS01 type hash.
    pub hash: &'static str,
    /// Definition with all it uses (`ros2msg`).
    pub definition: &'static str,
}

impl TypeInfo {
    /// Of a type.
    pub const fn of<T: Message>() -> Self {
        Self { name: T::TYPE_NAME, hash: T::TYPE_HASH, definition: T::DEFINITION }
    }
}

/// The type of that name, if this crate has it.
pub fn type_info(name: &str) -> Option<&'static TypeInfo> {
    crate::AnyMessage::TYPES.iter().find(|t| t.name == name)
}

/// A type name that this crate has no type for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown message type {0:?}, expected one of AnyMessage::TYPES, for example \"shelfwright_msgs/msg/TagRead\""
)]
pub struct UnknownType(
    /// The name that was asked for.
    pub String,
);

/// Writes [`crate::AnyMessage`]; the generated file calls it with every type.
macro_rules! any_message {
    ($($variant:ident: $path:path,)*) => {
        /// A message of any type that this crate has; a variant is named after its type.
        #[derive(Debug, Clone, PartialEq)]
        pub enum AnyMessage {
            $(
                #[doc = concat!("[`", stringify!($path), "`]")]
                $variant($path),
            )*
        }

        impl AnyMessage {
            /// Every type, in order of the variants' names.
            pub const TYPES: &'static [crate::TypeInfo] = &[$(crate::TypeInfo::of::<$path>()),*];

            /// Full name of its type, `shelfwright_msgs/msg/TagRead`.
            pub fn type_name(&self) -> &'static str {
                self.type_info().name
            }

            /// Name, hash and definition of its type.
            pub const fn type_info(&self) -> crate::TypeInfo {
                match self {
                    $(Self::$variant(_) => crate::TypeInfo::of::<$path>(),)*
                }
            }

            /// As CDR with its encapsulation header: XCDR1, little endian.
            pub fn to_cdr(&self) -> Vec<u8> {
                match self {
                    $(Self::$variant(m) => crate::Message::to_cdr(m),)*
                }
            }

            /// From CDR with its encapsulation header, as the type of that name.
            ///
            /// # Errors
            /// [`crate::CdrError`] where the bytes do not fit the type, or the name is not known.
            pub fn from_cdr(type_name: &str, bytes: &[u8]) -> Result<Self, crate::CdrError> {
                match type_name {
                    $(<$path as crate::Message>::TYPE_NAME => {
                        <$path as crate::Message>::from_cdr(bytes).map(Self::$variant)
                    })*
                    _ => Err(crate::CdrError::unknown_type(type_name)),
                }
            }

            /// The default message of the type of that name.
            ///
            /// # Errors
            /// [`crate::UnknownType`] for a name that this crate has no type for.
            pub fn default_of(type_name: &str) -> Result<Self, crate::UnknownType> {
                match type_name {
                    $(<$path as crate::Message>::TYPE_NAME => Ok(Self::$variant(Default::default())),)*
                    _ => Err(crate::UnknownType(type_name.to_owned())),
                }
            }
        }

        $(
            impl From<$path> for AnyMessage {
                fn from(message: $path) -> Self {
                    Self::$variant(message)
                }
            }

            impl TryFrom<AnyMessage> for $path {
                type Error = AnyMessage;

                fn try_from(message: AnyMessage) -> Result<Self, AnyMessage> {
                    match message {
                        AnyMessage::$variant(m) => Ok(m),
                        other => Err(other),
                    }
                }
            }
        )*
    };
}
pub(crate) use any_message;
