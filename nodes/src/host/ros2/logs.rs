//! Logs to standard error by ROS's own logging, and to `/rosout`: a layer for `tracing`.
//!
//! In Jazzy `/rosout` is the client library's work, and r2r does none of it.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::time::SystemTime;

use r2r::rcl_interfaces::msg::Log;
use r2r::{LogSeverity, Publisher, QosProfile};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

thread_local! {
    static LOGGER: RefCell<Option<Logger>> = const { RefCell::new(None) };
}

/// Where a node's logs go.
#[derive(Clone)]
pub struct Logger {
    name: String,
    rosout: Publisher<Log>,
}

impl Logger {
    /// Of a node.
    pub fn new(node: &mut r2r::Node) -> r2r::Result<Self> {
        let quality = QosProfile::default().keep_last(1_000).transient_local();
        Ok(Self { rosout: node.create_publisher("/rosout", quality)?, name: node.logger().to_owned() })
    }

    /// From here on this thread's logs are this node's.
    pub fn take_thread(self) {
        LOGGER.set(Some(self));
    }
}

/// Hands events on to ROS: to `/rosout` of the thread's node, and to standard error.
pub struct RosLayer;

impl<S: Subscriber> Layer<S> for RosLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        // Numbers as in rcl_interfaces/msg/Log.
        let (severity, level) = match *event.metadata().level() {
            Level::ERROR => (LogSeverity::Error, 40),
            Level::WARN => (LogSeverity::Warn, 30),
            Level::INFO => (LogSeverity::Info, 20),
            Level::DEBUG | Level::TRACE => (LogSeverity::Debug, 10),
        };
        let (file, line) = (event.metadata().file().unwrap_or(""), event.metadata().line().unwrap_or(0));
        let text = text.message + &text.fields;
        // A zero byte would end the text in C, and r2r refuses it by a panic.
        let text = text.replace('\0', "\u{fffd}");
        LOGGER.with_borrow(|logger| {
            r2r::log(&text, logger.as_ref().map_or("shelfwright", |l| &l.name), file, line, severity);
            let Some(logger) = logger else { return };
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let stamp = r2r::builtin_interfaces::msg::Time {
                sec: i32::try_from(now.as_secs()).unwrap_or(i32::MAX),
                nanosec: now.subsec_nanos(),
            };
            let function = event.metadata().target().to_owned();
            let log =
                Log { stamp, level, name: logger.name.clone(), msg: text, file: file.into(), function, line };
            // There is nobody left to tell.
            let _ = logger.rosout.publish(&log);
        });
    }
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
