//! What a message definition says, after parsing.

use std::fmt;

/// Full name of a type: `sensor_msgs/msg/LaserScan`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeName {
    /// Package, `sensor_msgs`.
    pub package: String,
    /// `msg`, `srv` or `action`.
    pub namespace: String,
    /// Type, `LaserScan`.
    pub name: String,
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.package, self.namespace, self.name)
    }
}

impl TypeName {
    /// Name from its three parts.
    pub fn new(package: &str, namespace: &str, name: &str) -> Self {
        Self { package: package.into(), namespace: namespace.into(), name: name.into() }
    }
}

/// Types that the language of `.msg` files has built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primitive {
    /// `bool`
    Bool,
    /// `byte`, an octet
    Byte,
    /// `char`, which ROS 2 takes as `uint8`
    Char,
    /// `int8`
    I8,
    /// `uint8`
    U8,
    /// `int16`
    I16,
    /// `uint16`
    U16,
    /// `int32`
    I32,
    /// `uint32`
    U32,
    /// `int64`
    I64,
    /// `uint64`
    U64,
    /// `float32`
    F32,
    /// `float64`
    F64,
}

/// Type of one element of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// A built-in type.
    Primitive(Primitive),
    /// `string` or `string<=N`.
    String(Option<u32>),
    /// `wstring` or `wstring<=N`.
    WString(Option<u32>),
    /// Another message.
    Message(TypeName),
}

/// How many elements a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// One.
    One,
    /// `[N]`
    Array(u32),
    /// `[<=N]`
    Bounded(u32),
    /// `[]`
    Sequence,
}

/// A constant or default value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `bool`
    Bool(bool),
    /// Any integer.
    Int(i128),
    /// `float32`, `float64`; kept as written.
    Float(f64),
    /// `string`
    Text(String),
    /// Default of an array or sequence.
    List(Vec<Value>),
}

/// One field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Type of one element.
    pub element: Element,
    /// Number of elements.
    pub count: Count,
    /// Default, if the definition gives one.
    pub default: Option<Value>,
    /// The comment that belongs to it, line by line.
    pub comment: Vec<String>,
}

/// One constant.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// Name.
    pub name: String,
    /// Type.
    pub element: Element,
    /// Value.
    pub value: Value,
    /// The comment that belongs to it, line by line.
    pub comment: Vec<String>,
}

/// One message type: a `.msg` file, or a part of a `.srv` or `.action` file.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Full name.
    pub name: TypeName,
    /// Fields in the file's order.
    pub fields: Vec<Field>,
    /// Constants in the file's order.
    pub constants: Vec<Constant>,
    /// Comment at the top of the file.
    pub comment: Vec<String>,
    /// The definition as text.
    pub text: String,
}

impl Message {
    /// Names of the messages that its fields use.
    pub fn uses(&self) -> impl Iterator<Item = &TypeName> {
        self.fields.iter().filter_map(|f| match &f.element {
            Element::Message(name) => Some(name),
            _ => None,
        })
    }
}
