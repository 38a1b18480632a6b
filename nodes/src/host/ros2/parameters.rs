//! A node's ROS parameters, declared from its parameter struct: names and types from serde, descriptions from the
//! struct's own documentation, ranges from the units that the names carry.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// Where the documentation of a group of parameters stands.
#[derive(Debug, Clone, Copy)]
pub struct Documented {
    /// Path of the group, `planner`; empty for the node's own struct.
    pub group: &'static str,
    /// Name of its struct.
    pub name: &'static str,
    /// Source file that defines it.
    pub source: &'static str,
}

/// One declared parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// What it is, with unit, default and reason.
    pub description: String,
    /// Least and greatest value of a number.
    pub range: Option<[f64; 2]>,
    /// Whether it can change while the node is configured.
    pub live: bool,
    /// Its value.
    pub value: Value,
}

/// Why a parameter keeps its value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No such parameter.
    #[error("no parameter {0:?} is declared")]
    Unknown(String),
    /// Another type.
    #[error("{name} is a {wanted}, found a {found}")]
    Type {
        /// Which.
        name: String,
        /// Declared type.
        wanted: &'static str,
        /// Type of the value.
        found: &'static str,
    },
    /// Out of its range.
    #[error("{name} is {found}, allowed are {least} to {greatest}")]
    Range {
        /// Which.
        name: String,
        /// The value.
        found: f64,
        /// Least that is allowed.
        least: f64,
        /// Greatest that is allowed.
        greatest: f64,
    },
    /// It is read when the node is made.
    #[error("{0} is read when the node is configured: deactivate and clean up, set it, and configure again")]
    Configured(String),
    /// The node's own reason.
    #[error("{0}")]
    Node(String),
}

type Check = Box<dyn Fn(&Table) -> Result<(), String> + Send>;

/// All parameters of one node.
pub struct Parameters {
    declared: BTreeMap<String, Declared>,
    /// What no ROS parameter can hold stays as it was.
    base: Table,
    check: Check,
}

/// Parameters of the host itself, beside the node's.
const HOST: &[(&str, &str, bool)] = &[
    (
        "autostart",
        "Whether the node configures and activates itself when it starts. true: no lifecycle manager needed.",
        true,
    ),
    ("use_sim_time", "Whether time comes from /clock. false.", false),
    (
        "reads_best_effort",
        "Whether reads are taken from best-effort publishers as well; some may then be lost on the way. false.",
        false,
    ),
];

impl Parameters {
    /// Declares the fields of a struct, nested ones with dots. `live` names those (or their groups) that can change
    /// while the node is configured.
    pub fn of<P: Serialize + DeserializeOwned>(
        values: &P,
        documented: &[Documented],
        live: &[&str],
    ) -> Result<Self, toml::ser::Error> {
        let base = Table::try_from(values)?;
        let mut flat = Vec::new();
        flatten("", &base, &mut flat);
        let mut declared: BTreeMap<String, Declared> = flat
            .into_iter()
            .map(|(name, value)| {
                let one = Declared {
                    description: describe(&name, documented),
                    range: range(&name, &value),
                    live: live
                        .iter()
                        .any(|l| name.strip_prefix(l).is_some_and(|r| r.is_empty() || r.starts_with('.'))),
                    value,
                };
                (name, one)
            })
            .collect();
        for &(name, description, value) in HOST {
            let one =
                Declared { description: description.into(), range: None, live: false, value: value.into() };
            declared.insert(name.into(), one);
        }
        let check =
            |table: &Table| table.clone().try_into::<P>().map(drop).map_err(|e| e.message().to_owned());
        Ok(Self { declared, base, check: Box::new(check) })
    }

    /// Every parameter by name.
    pub fn declared(&self) -> &BTreeMap<String, Declared> {
        &self.declared
    }

    /// A parameter of the host's that is on or off.
    pub fn flag(&self, name: &str) -> bool {
        self.declared.get(name).is_some_and(|d| d.value == Value::Boolean(true))
    }

    /// The node's parameters as its struct reads them.
    pub fn table(&self) -> Table {
        self.with(&[])
    }

    fn with(&self, changes: &[(String, Value)]) -> Table {
        let mut table = self.base.clone();
        let changed = changes.iter().map(|(n, v)| (n, v));
        for (name, value) in self.declared.iter().map(|(n, d)| (n, &d.value)).chain(changed) {
            if !HOST.iter().any(|h| h.0 == name) {
                put(&mut table, name, value.clone());
            }
        }
        table
    }

    /// What the values would be, all changes made or none; `configured`: only live ones can change.
    ///
    /// # Errors
    /// The first change that cannot be made, with its reason.
    pub fn checked(
        &self,
        changes: &[(String, Value)],
        configured: bool,
    ) -> Result<(Vec<(String, Value)>, Table), Refusal> {
        let mut taken = Vec::with_capacity(changes.len());
        for (name, value) in changes {
            let declared = self.declared.get(name).ok_or_else(|| Refusal::Unknown(name.clone()))?;
            let value = fit(name, &declared.value, value)?;
            if let (Some([least, greatest]), Some(found)) = (declared.range, number(&value))
                && !(least..=greatest).contains(&found)
            {
                return Err(Refusal::Range { name: name.clone(), found, least, greatest });
            }
            if configured && !declared.live && value != declared.value {
                return Err(Refusal::Configured(name.clone()));
            }
            taken.push((name.clone(), value));
        }
        let table = self.with(&taken);
        (self.check)(&table).map_err(Refusal::Node)?;
        Ok((taken, table))
    }

    /// Makes changes that were [`Self::checked`].
    pub fn apply(&mut self, taken: Vec<(String, Value)>) {
        for (name, value) in taken {
            if let Some(declared) = self.declared.get_mut(&name) {
                declared.value = value;
            }
        }
    }
}

/// The value in the declared type: a whole number is a number too.
fn fit(name: &str, declared: &Value, value: &Value) -> Result<Value, Refusal> {
    match (declared, value) {
        (Value::Float(_), Value::Integer(i)) => Ok(Value::Float(*i as f64)),
        (Value::Array(d), Value::Array(v)) if d.first().is_some_and(Value::is_float) => Ok(Value::Array(
            v.iter().map(|x| x.as_integer().map_or_else(|| x.clone(), |i| Value::Float(i as f64))).collect(),
        )),
        _ if declared.same_type(value) => Ok(value.clone()),
        _ => Err(Refusal::Type { name: name.into(), wanted: declared.type_str(), found: value.type_str() }),
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|i| i as f64))
}

fn flatten(prefix: &str, table: &Table, out: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(inner) => flatten(&name, inner, out),
            Value::Float(v) => out.push((name, Value::Float(shortest(*v)))),
            Value::Boolean(_) | Value::Integer(_) | Value::String(_) => out.push((name, value.clone())),
            Value::Array(list) if !list.is_empty() && list.iter().all(|v| v.is_float() || v.is_str()) => {
                out.push((name, value.clone()));
            }
            // ROS has no type for it; it stays as it is configured.
            Value::Array(_) | Value::Datetime(_) => {}
        }
    }
}

/// 0.9 held as `f32` reads 0.8999999761 as `f64`; people want to see 0.9.
fn shortest(value: f64) -> f64 {
    let single = value as f32;
    if f64::from(single) == value { single.to_string().parse().unwrap_or(value) } else { value }
}

fn put(table: &mut Table, name: &str, value: Value) {
    match name.split_once('.') {
        Some((group, rest)) => {
            if let Some(Value::Table(inner)) = table.get_mut(group) {
                put(inner, rest, value);
            }
        }
        None => {
            table.insert(name.into(), value);
        }
    }
}

/// Ranges by unit: wide enough for any robot, narrow enough for a slip of the finger.
fn range(name: &str, value: &Value) -> Option<[f64; 2]> {
    number(value)?;
    let field = name.rsplit('.').next().unwrap_or(name);
    let ends = |suffixes: &[&str]| suffixes.iter().any(|s| field.ends_with(s));
    Some(if ends(&["_rate", "_share", "_probability", "_confidence", "_independence", "_weight"]) {
        [0.0, 1.0]
    } else if ends(&["_mps", "_radps"]) {
        [0.0, 3.0]
    } else if ends(&["_mps2", "_radps2"]) {
        [0.0, 20.0]
    } else if ends(&["_deg"]) {
        [0.0, 360.0]
    } else if ends(&["_rad"]) {
        [0.0, std::f64::consts::TAU]
    } else if ends(&["_m"]) {
        [0.0, 100.0]
    } else if ends(&["_s"]) {
        [0.0, 86_400.0]
    } else {
        [0.0, 1e6]
    })
}

/// A field's documentation, from the source that defines it.
fn describe(name: &str, documented: &[Documented]) -> String {
    let (group, field) = name.rsplit_once('.').unwrap_or(("", name));
    documented.iter().find(|d| d.group == group).map(|d| field_docs(d, field)).unwrap_or_default()
}

fn field_docs(documented: &Documented, field: &str) -> String {
    let start = format!("pub struct {} {{", documented.name);
    let body = documented.source.lines().skip_while(|l| !l.starts_with(&start)).skip(1);
    let mut docs: Vec<&str> = Vec::new();
    for line in body.take_while(|l| *l != "}").map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            docs.push(text.trim());
        } else if line.strip_prefix("pub ").and_then(|l| l.split_once(':')).is_some_and(|(n, _)| n == field) {
            return docs.join(" ");
        } else if !line.starts_with('#') {
            docs.clear();
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ros2::declare;
    use crate::navigator::NavigatorParams;

    fn change(name: &str, value: impl Into<Value>) -> Vec<(String, Value)> {
        vec![(name.into(), value.into())]
    }

    #[test]
    fn a_parameter_is_refused_with_its_reason_and_taken_where_it_fits() {
        let mut p = declare::navigator(&NavigatorParams::default()).unwrap();
        let reason = |p: &Parameters, c: &[_], configured| p.checked(c, configured).unwrap_err().to_string();
        assert!(reason(&p, &change("stop_gap", 1.0), false).contains("no parameter"));
        assert!(reason(&p, &change("stop_gap_m", "far"), false).contains("is a float, found a string"));
        assert!(reason(&p, &change("stop_gap_m", -1.0), false).contains("allowed are 0 to 100"));
        assert!(reason(&p, &change("planner.margin_m", 0.2), true).contains("configure"));
        let (taken, table) = p.checked(&change("steering.speed_mps", 1), true).unwrap();
        assert_eq!(table["steering"]["speed_mps"], Value::Float(1.0));
        p.apply(taken);
        assert_eq!(p.declared()["steering.speed_mps"].value, Value::Float(1.0));
        assert!(p.table().get("use_sim_time").is_none() && !p.flag("use_sim_time"));
    }
}
