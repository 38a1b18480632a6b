//! A run that is watched: the window on the main thread, as window systems want it, the run on another.

use std::ops::ControlFlow;

use interfaces::Publication;
use nodes::host::Observer;
use twin::view::live::{self, Teller};
use twin::view::{Moment, Scene, watch};
use twin::{Scenario, Twin};

use crate::mission::Watch;
use crate::ui::{interrupted, refused};

/// Tells the window of a run. It has no say in the run but for its pace and its end.
struct Told(Teller);

impl Observer for Told {
    fn observe(&mut self, publication: &Publication) -> Result<(), String> {
        self.0.hear(publication);
        Ok(())
    }
}

impl Watch for Told {
    fn step(&mut self, twin: &Twin) -> ControlFlow<()> {
        if self.0.tell(twin) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// Runs something that takes a watcher, while a window shows what the watcher is told; `speed` is the one to begin with,
/// simulated seconds a second.
pub fn watched<T: Send>(
    scenario: &Scenario,
    speed: f64,
    run: impl FnOnce(&mut dyn Watch) -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    // A twin of its own gives the window what stays through the run.
    let twin = Twin::new(scenario).map_err(refused)?;
    let (scene, now) = (Scene::of(&twin), Moment::of(&twin));
    let (teller, listener) = live::channel(&twin, interrupted);
    drop(twin);
    let wishes = listener.wishes.clone();
    wishes.set_speed(speed);
    std::thread::scope(|scope| {
        let failed = wishes.clone();
        let running = scope.spawn(move || {
            let ran = run(&mut Told(teller));
            // What a run came to stays to be looked at; an error or Ctrl-C is told at once.
            if ran.is_err() {
                failed.close();
            }
            ran
        });
        let shown = watch(scene, &now, listener);
        // Without a window there is nobody to watch: the run ends.
        wishes.close();
        let ran = running.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the run has panicked")));
        shown?;
        ran
    })
}
