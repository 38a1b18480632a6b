//! The services that every ROS node has: its parameters, and its life. Requests are collected here and answered by
//! the node's spin thread.

use futures::{FutureExt, Stream, StreamExt};
use r2r::lifecycle_msgs::{msg as life, srv as life_srv};
use r2r::rcl_interfaces::{msg as rcl, srv as rcl_srv};
use r2r::{ParameterValue, QosProfile, ServiceRequest, WrappedServiceTypeSupport};
use toml::Value;

use super::lifecycle::{self, State, Transition};
use super::parameters::{Declared, Parameters};

/// Requests of one service.
pub struct Requests<T: WrappedServiceTypeSupport>(Box<dyn Stream<Item = ServiceRequest<T>> + Unpin>);

impl<T: WrappedServiceTypeSupport + 'static> Requests<T> {
    /// Offers `~/name`.
    pub fn offer(node: &mut r2r::Node, name: &str) -> r2r::Result<Self> {
        let name = format!("{}/{name}", node.fully_qualified_name()?);
        Self::named(node, &name)
    }

    /// Offers a service by its full name.
    pub fn named(node: &mut r2r::Node, name: &str) -> r2r::Result<Self> {
        Ok(Self(Box::new(node.create_service::<T>(name, QosProfile::services_default())?)))
    }

    /// The next one that waits.
    pub fn next(&mut self) -> Option<ServiceRequest<T>> {
        self.0.next().now_or_never().flatten()
    }

    /// Answers all that wait.
    fn answer(&mut self, mut answer: impl FnMut(&T::Request) -> T::Response) {
        while let Some(request) = self.next() {
            let response = answer(&request.message);
            respond(request, response);
        }
    }
}

/// Answers a request; a client that is gone is no failure.
pub fn respond<T: WrappedServiceTypeSupport + 'static>(request: ServiceRequest<T>, response: T::Response) {
    if let Err(error) = request.respond(response) {
        tracing::debug!(%error, "a response was not sent");
    }
}

/// All of them.
pub struct Services {
    /// `~/set_parameters`.
    pub set: Requests<rcl_srv::SetParameters::Service>,
    /// `~/set_parameters_atomically`.
    pub set_atomically: Requests<rcl_srv::SetParametersAtomically::Service>,
    /// `~/change_state`.
    pub change_state: Requests<life_srv::ChangeState::Service>,
    get: Requests<rcl_srv::GetParameters::Service>,
    list: Requests<rcl_srv::ListParameters::Service>,
    describe: Requests<rcl_srv::DescribeParameters::Service>,
    types: Requests<rcl_srv::GetParameterTypes::Service>,
    get_state: Requests<life_srv::GetState::Service>,
    states: Requests<life_srv::GetAvailableStates::Service>,
    transitions: Requests<life_srv::GetAvailableTransitions::Service>,
    graph: Requests<life_srv::GetAvailableTransitions::Service>,
}

impl Services {
    /// Offers them for a node.
    pub fn offer(node: &mut r2r::Node) -> r2r::Result<Self> {
        Ok(Self {
            set: Requests::offer(node, "set_parameters")?,
            set_atomically: Requests::offer(node, "set_parameters_atomically")?,
            change_state: Requests::offer(node, "change_state")?,
            get: Requests::offer(node, "get_parameters")?,
            list: Requests::offer(node, "list_parameters")?,
            describe: Requests::offer(node, "describe_parameters")?,
            types: Requests::offer(node, "get_parameter_types")?,
            get_state: Requests::offer(node, "get_state")?,
            states: Requests::offer(node, "get_available_states")?,
            transitions: Requests::offer(node, "get_available_transitions")?,
            graph: Requests::offer(node, "get_transition_graph")?,
        })
    }

    /// Answers what changes nothing.
    pub fn answer(&mut self, parameters: &Parameters, state: State) {
        let known = |name: &String| parameters.declared().get(name);
        self.get.answer(|r| rcl_srv::GetParameters::Response {
            values: r
                .names
                .iter()
                .map(|n| known(n).map_or_else(Default::default, |d| to_ros(&d.value)))
                .collect(),
        });
        self.types.answer(|r| rcl_srv::GetParameterTypes::Response {
            types: r.names.iter().map(|n| known(n).map_or(0, |d| to_ros(&d.value).type_)).collect(),
        });
        self.describe.answer(|r| rcl_srv::DescribeParameters::Response {
            descriptors: r.names.iter().map(|n| describe(n, known(n))).collect(),
        });
        self.list
            .answer(|r| rcl_srv::ListParameters::Response { result: list(parameters, &r.prefixes, r.depth) });
        self.get_state.answer(|_| life_srv::GetState::Response { current_state: ros_state(state) });
        self.states.answer(|_| life_srv::GetAvailableStates::Response {
            available_states: State::ALL.map(ros_state).to_vec(),
        });
        self.transitions.answer(|_| life_srv::GetAvailableTransitions::Response {
            available_transitions: lifecycle::from(state).map(description).collect(),
        });
        self.graph.answer(|_| life_srv::GetAvailableTransitions::Response {
            available_transitions: lifecycle::TRANSITIONS.into_iter().map(description).collect(),
        });
    }
}

fn list(parameters: &Parameters, prefixes: &[String], depth: u64) -> rcl::ListParametersResult {
    let shallow = |rest: &str| depth == 0 || (rest.matches('.').count() as u64) < depth;
    let wanted = |name: &str| {
        if prefixes.is_empty() {
            return shallow(name);
        }
        prefixes.iter().any(|p| {
            name.strip_prefix(p.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.strip_prefix('.').is_some_and(shallow))
        })
    };
    let names: Vec<String> = parameters.declared().keys().filter(|n| wanted(n)).cloned().collect();
    let mut groups: Vec<String> =
        names.iter().filter_map(|n| Some(n.rsplit_once('.')?.0.to_owned())).collect();
    groups.dedup();
    rcl::ListParametersResult { names, prefixes: groups }
}

fn describe(name: &str, declared: Option<&Declared>) -> rcl::ParameterDescriptor {
    let mut descriptor = rcl::ParameterDescriptor { name: name.into(), ..Default::default() };
    let Some(declared) = declared else { return descriptor };
    descriptor.type_ = to_ros(&declared.value).type_;
    descriptor.description.clone_from(&declared.description);
    if !declared.live {
        descriptor.additional_constraints = "changes only before the node is configured".into();
    }
    match (declared.range, &declared.value) {
        (Some([least, greatest]), Value::Integer(_)) => descriptor.integer_range.push(rcl::IntegerRange {
            from_value: least as i64,
            to_value: greatest as i64,
            step: 1,
        }),
        (Some([from_value, to_value]), _) => {
            descriptor.floating_point_range.push(rcl::FloatingPointRange { from_value, to_value, step: 0.0 });
        }
        (None, _) => {}
    }
    descriptor
}

/// A value as ROS has it.
pub fn to_ros(value: &Value) -> rcl::ParameterValue {
    let mut ros = rcl::ParameterValue::default();
    match value {
        Value::Boolean(v) => (ros.type_, ros.bool_value) = (1, *v),
        Value::Integer(v) => (ros.type_, ros.integer_value) = (2, *v),
        Value::Float(v) => (ros.type_, ros.double_value) = (3, *v),
        Value::String(v) => {
            ros.type_ = 4;
            ros.string_value.clone_from(v);
        }
        Value::Array(list) if list.iter().all(Value::is_float) => {
            ros.type_ = 8;
            ros.double_array_value = list.iter().filter_map(Value::as_float).collect();
        }
        Value::Array(list) => {
            ros.type_ = 9;
            ros.string_array_value = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
        Value::Datetime(_) | Value::Table(_) => {}
    }
    ros
}

/// A value from a request; `None` where it is not set or of a type that no parameter has.
pub fn from_ros(ros: &rcl::ParameterValue) -> Option<Value> {
    Some(match ros.type_ {
        1 => ros.bool_value.into(),
        2 => ros.integer_value.into(),
        3 => ros.double_value.into(),
        4 => ros.string_value.clone().into(),
        7 => ros.integer_array_value.clone().into(),
        8 => ros.double_array_value.clone().into(),
        9 => ros.string_array_value.clone().into(),
        _ => return None,
    })
}

/// A value from the command line or a parameter file.
pub fn from_override(value: &ParameterValue) -> Option<Value> {
    Some(match value {
        ParameterValue::Bool(v) => (*v).into(),
        ParameterValue::Integer(v) => (*v).into(),
        ParameterValue::Double(v) => (*v).into(),
        ParameterValue::String(v) => v.clone().into(),
        ParameterValue::IntegerArray(v) => v.clone().into(),
        ParameterValue::DoubleArray(v) => v.clone().into(),
        ParameterValue::StringArray(v) => v.clone().into(),
        ParameterValue::NotSet | ParameterValue::BoolArray(_) | ParameterValue::ByteArray(_) => return None,
    })
}

/// A state as ROS has it.
pub fn ros_state(state: State) -> life::State {
    life::State { id: state.id(), label: state.label().into() }
}

/// A transition as ROS has it.
pub fn ros_transition(transition: Transition) -> life::Transition {
    life::Transition { id: transition.id, label: transition.label.into() }
}

fn description(transition: Transition) -> life::TransitionDescription {
    life::TransitionDescription {
        transition: ros_transition(transition),
        start_state: ros_state(transition.start),
        goal_state: ros_state(transition.goal),
    }
}
