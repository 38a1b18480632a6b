//! `shelfwright mission`: starts, pauses, resumes or cancels the mission of a robot on the ROS 2 network.

use clap::{Args, Subcommand};
use interfaces::AnyMessage;
use interfaces::shelfwright_msgs::StartMissionRequest;
use interfaces::std_srvs::TriggerRequest;
use nodes::host::ros2;

use crate::ui::Ui;

/// Arguments of `mission`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  shelfwright mission start night --faces 1F/R01A,1F/R01B\n  \
    shelfwright mission pause --robot inv_2")]
pub struct MissionArgs {
    #[command(subcommand)]
    what: What,
    /// Name of the robot.
    #[arg(long, default_value = "inv_1", global = true)]
    robot: String,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Begin an inventory.
    Start {
        /// Name of the mission.
        name: String,
        /// Row faces; by default all of the robot's floor.
        #[arg(long, value_delimiter = ',')]
        faces: Vec<String>,
    },
    /// Let the robot stand where it is.
    Pause,
    /// Go on after a pause.
    Resume,
    /// End the mission.
    Cancel,
}

/// Runs `mission`.
pub fn run(args: &MissionArgs, ui: &Ui) -> anyhow::Result<()> {
    let trigger = || AnyMessage::from(TriggerRequest::default());
    let (name, request) = match &args.what {
        What::Start { name, faces } => {
            ("start", StartMissionRequest { mission: name.clone(), faces: faces.clone() }.into())
        }
        What::Pause => ("pause", trigger()),
        What::Resume => ("resume", trigger()),
        What::Cancel => ("cancel", trigger()),
    };
    let service = format!("/{}/mission/{name}", args.robot);
    let (success, message) = match ros2::call(&service, &request)? {
        AnyMessage::TriggerResponse(r) => (r.success, r.message),
        AnyMessage::StartMissionResponse(r) => (r.success, r.message),
        other => anyhow::bail!("{service} answered with {}", other.type_name()),
    };
    // A node that is not active answers with nothing at all.
    let reason = if message.is_empty() { "the pilot is not active" } else { message.as_str() };
    anyhow::ensure!(success, "{}: {reason}", args.robot);
    ui.note(format!("{}: {name}: done", args.robot));
    Ok(())
}
