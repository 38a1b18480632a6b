//! An rcl node with subscriptions to any type, and a publisher of what it says of itself.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;
use std::rc::Rc;
use std::time::Duration;

use r2r_rcl as rcl;
use r2r_rcl::rmw_qos_durability_policy_e::RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL as TRANSIENT_LOCAL;
use r2r_rcl::rmw_qos_durability_policy_e::RMW_QOS_POLICY_DURABILITY_VOLATILE as VOLATILE;
use r2r_rcl::rmw_qos_history_policy_e::RMW_QOS_POLICY_HISTORY_KEEP_LAST as KEEP_LAST;
use r2r_rcl::rmw_qos_reliability_policy_e::RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT as BEST_EFFORT;
use r2r_rcl::rmw_qos_reliability_policy_e::RMW_QOS_POLICY_RELIABILITY_RELIABLE as RELIABLE;

use super::type_support::TypeSupport;

/// What is offered on a topic by all its publishers together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its type, `sensor_msgs/msg/Image`.
    pub type_name: String,
    /// RIHS01 hash of the type; empty where the publisher does not tell.
    pub type_hash: String,
    /// Whether every publisher sends reliably.
    pub reliable: bool,
    /// Whether every publisher keeps messages for late listeners.
    pub transient_local: bool,
}

/// One message that was taken.
#[derive(Debug)]
pub struct Taken {
    /// Which subscription, in the order in which they were made.
    pub subscription: usize,
    /// When it came, by this machine's clock, ns; 0 where the middleware does not tell.
    pub received_ns: i64,
    /// CDR.
    pub data: Vec<u8>,
}

/// A node; its calls are made on one thread, as its wait set wants it.
pub struct GenericNode {
    // rcl keeps pointers to context, node and subscriptions, so each stays where it is.
    context: Box<rcl::rcl_context_t>,
    node: Box<rcl::rcl_node_t>,
    #[expect(clippy::vec_box, reason = "the vector moves what is in it when it grows")]
    subscriptions: Vec<Box<rcl::rcl_subscription_t>>,
    publishers: BTreeMap<String, Box<rcl::rcl_publisher_t>>,
    types: BTreeMap<String, Rc<TypeSupport>>,
    wait_set: rcl::rcl_wait_set_t,
    buffer: rcl::rcl_serialized_message_t,
}

/// rcl's last error where a call failed.
fn checked(ret: i32, what: &str) -> Result<(), String> {
    if ret == rcl::RCL_RET_OK as i32 {
        return Ok(());
    }
    // SAFETY: gives a string with its end, by value.
    let error = unsafe { rcl::rcutils_get_error_string() };
    // SAFETY: it is such a string, and lives as long as `error`.
    let text = unsafe { CStr::from_ptr(error.str_.as_ptr()) }.to_string_lossy().into_owned();
    // SAFETY: takes nothing.
    unsafe { rcl::rcutils_reset_error() };
    Err(format!("{what}: {text} ({ret})"))
}

fn c_string(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|_| format!("{text:?} holds a zero byte"))
}

/// # Safety
/// `text` points to a string with its end, or nowhere.
unsafe fn string(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller says.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

impl GenericNode {
    /// Joins the network. Names are remapped as `--ros-args` of the command line tell.
    ///
    /// # Errors
    /// rcl's own words.
    pub fn new(name: &str, namespace: &str) -> Result<Self, String> {
        let args: Vec<CString> = std::env::args().map(|a| c_string(&a)).collect::<Result<_, _>>()?;
        let args: Vec<*const c_char> = args.iter().map(|a| a.as_ptr()).collect();
        let (name, namespace) = (c_string(name)?, c_string(namespace)?);
        // SAFETY: rcl's order of making things, each zero before it is made; strings outlive the calls.
        unsafe {
            let mut context = Box::new(rcl::rcl_get_zero_initialized_context());
            let mut options = rcl::rcl_get_zero_initialized_init_options();
            let allocator = rcl::rcutils_get_default_allocator();
            checked(rcl::rcl_init_options_init(&raw mut options, allocator), "options")?;
            let count = c_int::try_from(args.len()).map_err(|_| "too many arguments")?;
            let made = rcl::rcl_init(count, args.as_ptr(), &raw const options, &raw mut *context);
            rcl::rcl_init_options_fini(&raw mut options);
            checked(made, "ROS")?;
            let mut node = Box::new(rcl::rcl_get_zero_initialized_node());
            let options = rcl::rcl_node_get_default_options();
            let made = rcl::rcl_node_init(
                &raw mut *node,
                name.as_ptr(),
                namespace.as_ptr(),
                &raw mut *context,
                &raw const options,
            );
            if let Err(error) = checked(made, "node") {
                rcl::rcl_shutdown(&raw mut *context);
                rcl::rcl_context_fini(&raw mut *context);
                return Err(error);
            }
            let mut this = Self {
                context,
                node,
                subscriptions: Vec::new(),
                publishers: BTreeMap::new(),
                types: BTreeMap::new(),
                wait_set: rcl::rcl_get_zero_initialized_wait_set(),
                buffer: rcl::rcutils_get_zero_initialized_uint8_array(),
            };
            let allocator = rcl::rcutils_get_default_allocator();
            checked(rcl::rcutils_uint8_array_init(&raw mut this.buffer, 0, &raw const allocator), "buffer")?;
            let (set, context) = (&raw mut this.wait_set, &raw mut *this.context);
            checked(rcl::rcl_wait_set_init(set, 0, 0, 0, 0, 0, 0, context, allocator), "wait set")?;
            Ok(this)
        }
    }

    /// Its name with namespace.
    pub fn full_name(&self) -> String {
        // SAFETY: the node is valid; the string is its own.
        unsafe { string(rcl::rcl_node_get_fully_qualified_name(&raw const *self.node)) }
    }

    /// Names of all topics that have a publisher or subscriber, with their types.
    ///
    /// # Errors
    /// rcl's own words.
    pub fn topics(&self) -> Result<BTreeMap<String, Vec<String>>, String> {
        let mut all = BTreeMap::new();
        // SAFETY: rcl fills the arrays with strings, which are copied before they are given back.
        unsafe {
            let mut found = rcl::rmw_get_zero_initialized_names_and_types();
            let mut allocator = rcl::rcutils_get_default_allocator();
            let node = &raw const *self.node;
            let ret = rcl::rcl_get_topic_names_and_types(node, &raw mut allocator, false, &raw mut found);
            checked(ret, "topics")?;
            for i in 0..found.names.size {
                let types = &*found.types.add(i);
                let types = (0..types.size).map(|j| string(*types.data.add(j))).collect();
                all.insert(string(*found.names.data.add(i)), types);
            }
            rcl::rcl_names_and_types_fini(&raw mut found);
        }
        Ok(all)
    }

    /// What the publishers of a topic offer; none where it has none. Of several types the first is taken.
    ///
    /// # Errors
    /// rcl's own words.
    pub fn offer(&self, topic: &str) -> Result<Option<Offer>, String> {
        let topic = c_string(topic)?;
        let mut offer: Option<Offer> = None;
        // SAFETY: as in `topics`.
        unsafe {
            let mut found = rcl::rmw_get_zero_initialized_topic_endpoint_info_array();
            let mut allocator = rcl::rcutils_get_default_allocator();
            let node = &raw const *self.node;
            let ret = rcl::rcl_get_publishers_info_by_topic(
                node,
                &raw mut allocator,
                topic.as_ptr(),
                false,
                &raw mut found,
            );
            checked(ret, "publishers")?;
            for i in 0..found.size {
                let one = &*found.info_array.add(i);
                let reliable = one.qos_profile.reliability == RELIABLE;
                let transient_local = one.qos_profile.durability == TRANSIENT_LOCAL;
                if let Some(offer) = &mut offer {
                    offer.reliable &= reliable;
                    offer.transient_local &= transient_local;
                    continue;
                }
                let hash = &one.topic_type_hash;
                let hex = || hash.value.iter().map(|b| format!("{b:02x}")).collect::<String>();
                let type_hash = if hash.version == 1 { format!("RIHS01_{}", hex()) } else { String::new() };
                let type_name = string(one.topic_type);
                offer = Some(Offer { type_name, type_hash, reliable, transient_local });
            }
            let mut allocator = rcl::rcutils_get_default_allocator();
            rcl::rmw_topic_endpoint_info_array_fini(&raw mut found, &raw mut allocator);
        }
        Ok(offer)
    }

    /// Subscribes to what is offered on a topic, with a history of `depth` messages. Gives the subscription's number.
    ///
    /// # Errors
    /// A type that no package here has; rcl's own words.
    pub fn subscribe(&mut self, topic: &str, offer: &Offer, depth: usize) -> Result<usize, String> {
        let support = self.type_support(&offer.type_name)?;
        let name = c_string(topic)?;
        // SAFETY: node and type support live at least as long as the subscription; the name is copied.
        unsafe {
            let mut subscription = Box::new(rcl::rcl_get_zero_initialized_subscription());
            let mut options = rcl::rcl_subscription_get_default_options();
            options.qos.history = KEEP_LAST;
            options.qos.depth = depth;
            options.qos.reliability = if offer.reliable { RELIABLE } else { BEST_EFFORT };
            options.qos.durability = if offer.transient_local { TRANSIENT_LOCAL } else { VOLATILE };
            let made = rcl::rcl_subscription_init(
                &raw mut *subscription,
                &raw const *self.node,
                support.handle(),
                name.as_ptr(),
                &raw const options,
            );
            checked(made, topic)?;
            self.subscriptions.push(subscription);
            let count = self.subscriptions.len();
            checked(rcl::rcl_wait_set_resize(&raw mut self.wait_set, count, 0, 0, 0, 0, 0), "wait set")?;
            Ok(count - 1)
        }
    }

    /// Publishes a message of a type on a topic, reliably; the publisher is made at the first.
    ///
    /// # Errors
    /// A type that no package here has; rcl's own words.
    pub fn publish(&mut self, topic: &str, type_name: &str, cdr: &[u8]) -> Result<(), String> {
        if !self.publishers.contains_key(topic) {
            let support = self.type_support(type_name)?;
            let name = c_string(topic)?;
            // SAFETY: as for a subscription.
            unsafe {
                let mut publisher = Box::new(rcl::rcl_get_zero_initialized_publisher());
                let options = rcl::rcl_publisher_get_default_options();
                let made = rcl::rcl_publisher_init(
                    &raw mut *publisher,
                    &raw const *self.node,
                    support.handle(),
                    name.as_ptr(),
                    &raw const options,
                );
                checked(made, topic)?;
                self.publishers.insert(topic.to_owned(), publisher);
            }
        }
        let publisher = &self.publishers[topic];
        // SAFETY: the bytes are read, not kept, and outlive the call; nothing frees them through this array.
        unsafe {
            let mut message = rcl::rcutils_get_zero_initialized_uint8_array();
            message.buffer = cdr.as_ptr().cast_mut();
            message.buffer_length = cdr.len();
            message.buffer_capacity = cdr.len();
            message.allocator = rcl::rcutils_get_default_allocator();
            checked(
                rcl::rcl_publish_serialized_message(
                    &raw const **publisher,
                    &raw const message,
                    ptr::null_mut(),
                ),
                topic,
            )
        }
    }

    /// Waits for messages at most so long, and gives all that have come to `take`.
    ///
    /// # Errors
    /// rcl's own words.
    pub fn wait(&mut self, timeout: Duration, mut take: impl FnMut(Taken)) -> Result<(), String> {
        if self.subscriptions.is_empty() {
            // A wait set without anything in it is an error to rcl.
            std::thread::sleep(timeout);
            return Ok(());
        }
        let set = &raw mut self.wait_set;
        // SAFETY: the set has room for all subscriptions, which outlive the wait; rcl leaves those in it that have messages,
        // each at its own place.
        let ready: Vec<usize> = unsafe {
            checked(rcl::rcl_wait_set_clear(set), "wait set")?;
            for subscription in &self.subscriptions {
                let added =
                    rcl::rcl_wait_set_add_subscription(set, &raw const **subscription, ptr::null_mut());
                checked(added, "wait set")?;
            }
            let nanos = i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX);
            match rcl::rcl_wait(set, nanos) {
                ret if ret == rcl::RCL_RET_TIMEOUT as i32 => {
                    rcl::rcutils_reset_error();
                    return Ok(());
                }
                ret => checked(ret, "wait")?,
            }
            let places = &*set;
            (0..self.subscriptions.len()).filter(|&i| !(*places.subscriptions.add(i)).is_null()).collect()
        };
        for subscription in ready {
            while let Some((received_ns, data)) = self.take(subscription)? {
                take(Taken { subscription, received_ns, data });
            }
        }
        Ok(())
    }

    /// One message of a subscription, if there is one.
    fn take(&mut self, subscription: usize) -> Result<Option<(i64, Vec<u8>)>, String> {
        let handle = &raw const *self.subscriptions[subscription];
        // SAFETY: the buffer grows as rcl needs it, and its bytes are copied before it is used again.
        unsafe {
            let mut info = rcl::rmw_message_info_t::default();
            let buffer = &raw mut self.buffer;
            let ret = rcl::rcl_take_serialized_message(handle, buffer, &raw mut info, ptr::null_mut());
            if ret == rcl::RCL_RET_SUBSCRIPTION_TAKE_FAILED as i32 {
                rcl::rcutils_reset_error();
                return Ok(None);
            }
            checked(ret, "take")?;
            let data = match self.buffer.buffer.is_null() {
                true => Vec::new(),
                false => std::slice::from_raw_parts(self.buffer.buffer, self.buffer.buffer_length).to_vec(),
            };
            Ok(Some((info.received_timestamp, data)))
        }
    }

    fn type_support(&mut self, type_name: &str) -> Result<Rc<TypeSupport>, String> {
        if let Some(known) = self.types.get(type_name) {
            return Ok(known.clone());
        }
        let support = Rc::new(TypeSupport::load(type_name)?);
        self.types.insert(type_name.to_owned(), support.clone());
        Ok(support)
    }
}

impl Drop for GenericNode {
    fn drop(&mut self) {
        // SAFETY: in reverse of their making; each is valid until here, and not used after. What fails now cannot be helped.
        unsafe {
            rcl::rcl_wait_set_fini(&raw mut self.wait_set);
            rcl::rcutils_uint8_array_fini(&raw mut self.buffer);
            for subscription in &mut self.subscriptions {
                rcl::rcl_subscription_fini(&raw mut **subscription, &raw mut *self.node);
            }
            for publisher in self.publishers.values_mut() {
                rcl::rcl_publisher_fini(&raw mut **publisher, &raw mut *self.node);
            }
            rcl::rcl_node_fini(&raw mut *self.node);
            rcl::rcl_shutdown(&raw mut *self.context);
            rcl::rcl_context_fini(&raw mut *self.context);
        }
    }
}
