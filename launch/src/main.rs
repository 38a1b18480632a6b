//! The `shelfwright` command: simulate, locate, audit, report, and look after bags and sites.

mod cmd;
mod eyes;
mod learn;
mod mission;
mod params;
mod recording;
mod review;
#[cfg(feature = "ros2")]
mod ros;
mod run_folder;
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use ui::Ui;

/// Robots for libraries: find where every book really is.
///
/// Start with `shelfwright demo`: a robot inventories a simulated library and reports what stands wrong.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print the result as JSON on standard output.
    #[arg(long, global = true)]
    json: bool,
    /// Log more: -v for details, -vv for everything. RUST_LOG overrides.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// No progress on standard error.
    #[arg(short, long, global = true)]
    quiet: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed; 2 wrong usage; 3 an input file was refused; \
                          130 interrupted (what was recorded is kept).";

#[derive(Debug, Subcommand)]
enum Command {
    /// Inventory the simulated demo library, deliver to an embedded platform, and report.
    Demo(cmd::sim::DemoArgs),
    /// Run a scenario in the simulated library.
    Sim(cmd::sim::SimArgs),
    /// Check, draw or export a site file.
    Site(cmd::site::SiteArgs),
    /// Locate tags from a reads table or a bag.
    Locate(cmd::locate::LocateArgs),
    /// Compare what a run saw with the catalogue.
    Audit(cmd::audit::AuditArgs),
    /// Write the report of a run: HTML, JSON and CSV.
    Report(cmd::audit::ReportArgs),
    /// Serve the reference library platform that receives shelf errors.
    Platform(cmd::platform::PlatformArgs),
    /// Look into bags, cut, join and export them, and replay them through today's nodes.
    Bag(cmd::bag::BagArgs),
    /// Open a run in the Rerun viewer: where it drove, what it read, why a book is held to be where it is.
    Review(cmd::review::ReviewArgs),
    /// Calibrate the simulated radio, and compare machines.
    Twin(cmd::twin::TwinArgs),
    /// Narrow the radio that lessons are drawn from, by passes over shelves of known order.
    Calibrate(cmd::calibrate::CalibrateArgs),
    /// Make the locator's weights from simulated lessons.
    Learn(cmd::learn::LearnArgs),
    /// Run all nodes of one robot in this process, each a ROS 2 node of its own.
    #[cfg(feature = "ros2")]
    Up(ros::UpArgs),
    /// Start, pause, resume or cancel the mission of a robot on the ROS 2 network.
    #[cfg(feature = "ros2")]
    Mission(ros::mission::MissionArgs),
    /// Run one node of a robot as a ROS 2 node.
    #[cfg(feature = "ros2")]
    Node(ros::NodeArgs),
    /// Print the description of a robot (URDF).
    Urdf(cmd::urdf::UrdfArgs),
    /// Check this machine and this build.
    Doctor(cmd::doctor::DoctorArgs),
}

fn main() -> ExitCode {
    // What follows is for ROS, which reads it itself.
    let cli = Cli::parse_from(std::env::args_os().take_while(|a| a != "--ros-args"));
    #[cfg(feature = "ros2")]
    let ros = match &cli.command {
        Command::Up(_) | Command::Node(_) => true,
        Command::Sim(args) => args.ros,
        _ => false,
    };
    #[cfg(not(feature = "ros2"))]
    let ros = false;
    ui::init_logs(cli.verbose, ros);
    #[cfg(all(feature = "view", unix))]
    if matches!(cli.command, Command::Sim(_)) {
        eyes::without_wayland();
    }
    ui::catch_interrupts();
    let ui = Ui::new(cli.json, cli.quiet);
    let done = match cli.command {
        Command::Demo(args) => cmd::sim::demo(&args, &ui),
        Command::Sim(args) => cmd::sim::sim(&args, &ui),
        Command::Site(args) => cmd::site::run(&args, &ui),
        Command::Locate(args) => cmd::locate::run(&args, &ui),
        Command::Audit(args) => cmd::audit::audit(&args, &ui),
        Command::Report(args) => cmd::audit::report(&args, &ui),
        Command::Platform(args) => cmd::platform::run(&args, &ui),
        Command::Bag(args) => cmd::bag::run(&args, &ui),
        Command::Review(args) => cmd::review::run(&args, &ui),
        Command::Twin(args) => cmd::twin::run(&args, &ui),
        Command::Calibrate(args) => cmd::calibrate::run(&args, &ui),
        Command::Learn(args) => cmd::learn::run(&args, &ui),
        #[cfg(feature = "ros2")]
        Command::Up(args) => ros::up(&args),
        #[cfg(feature = "ros2")]
        Command::Mission(args) => ros::mission::run(&args, &ui),
        #[cfg(feature = "ros2")]
        Command::Node(args) => ros::node(&args),
        Command::Urdf(args) => cmd::urdf::run(&args, &ui),
        Command::Doctor(args) => cmd::doctor::run(&args, &ui),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ui.fail(&error),
    }
}
