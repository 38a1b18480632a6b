//! A blueprint for the viewer, written entity by entity: views with their properties, and containers around them.
//!
//! The SDK's own builder leaves out what a review needs most (camera, axes, time ranges), so this writes the same
//! entities with them.

use re_sdk::external::re_log_types::BlueprintActivationCommand;
use re_sdk::{AsComponents, RecordingStream, RecordingStreamBuilder, SerializedComponentBatch};
use re_sdk_types::blueprint::archetypes::{
    ContainerBlueprint, PanelBlueprint, TimePanelBlueprint, ViewBlueprint, ViewContents, ViewportBlueprint,
    VisibleTimeRanges,
};
use re_sdk_types::blueprint::components::{
    ActiveTab, ColumnShare, ContainerKind, IncludedContent, PanelState, PlayState, QueryExpression,
    RootContainer, RowShare, TimelineName, ViewClass, VisibleTimeRange,
};
use re_sdk_types::components::Name;
use re_sdk_types::datatypes::{EntityPath, Float32, TimeInt, TimeRange, TimeRangeBoundary};
use re_sdk_types::external::uuid::Uuid;

use super::error::ReviewError;

/// What a view or a container holds.
pub(super) enum Part {
    View(View),
    Container(Container),
}

/// One view.
pub(super) struct View {
    id: Uuid,
    class: &'static str,
    name: String,
    origin: String,
    contents: Vec<String>,
    properties: Vec<(&'static str, Vec<SerializedComponentBatch>)>,
    overrides: Vec<(String, Vec<SerializedComponentBatch>)>,
}

impl View {
    /// A view of one of the viewer's classes, `3D`, `TimeSeries`, on all below an entity.
    pub fn new(class: &'static str, name: impl Into<String>, origin: impl Into<String>) -> Self {
        Self {
            id: Uuid::new_v4(),
            class,
            name: name.into(),
            origin: origin.into(),
            contents: vec!["$origin/**".to_owned()],
            properties: Vec::new(),
            overrides: Vec::new(),
        }
    }

    /// Shows these entities in place of all below its origin.
    pub fn showing(mut self, queries: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.contents = queries.into_iter().map(Into::into).collect();
        self
    }

    /// Sets a property; its name is its archetype's.
    pub fn with(mut self, name: &'static str, property: &dyn AsComponents) -> Self {
        self.properties.push((name, property.as_serialized_batches()));
        self
    }

    /// Shows all that was logged of an entity up to the time that is looked at, and not its last row alone.
    pub fn with_past_of(mut self, entity: &str, timeline: &str) -> Self {
        let end = TimeRangeBoundary::CursorRelative(TimeInt(0));
        let range = re_sdk_types::datatypes::VisibleTimeRange {
            timeline: timeline.into(),
            range: TimeRange { start: TimeRangeBoundary::Infinite, end },
        };
        let ranges = VisibleTimeRanges::new([VisibleTimeRange(range)]);
        self.overrides.push((entity.to_owned(), ranges.as_serialized_batches()));
        self
    }
}

/// Views side by side, on top of each other, or behind tabs.
pub(super) struct Container {
    id: Uuid,
    kind: ContainerKind,
    name: Option<String>,
    parts: Vec<Part>,
    shares: Vec<f32>,
    active: Option<usize>,
}

impl Container {
    fn new(kind: ContainerKind, parts: impl IntoIterator<Item = (f32, Part)>) -> Self {
        let (shares, parts) = parts.into_iter().unzip();
        Self { id: Uuid::new_v4(), kind, name: None, parts, shares, active: None }
    }

    /// Side by side, each with its share of the width.
    pub fn horizontal(parts: impl IntoIterator<Item = (f32, Part)>) -> Self {
        Self::new(ContainerKind::Horizontal, parts)
    }

    /// On top of each other, each with its share of the height.
    pub fn vertical(parts: impl IntoIterator<Item = (f32, Part)>) -> Self {
        Self::new(ContainerKind::Vertical, parts)
    }

    /// Behind tabs, one of them in front.
    pub fn tabs(parts: impl IntoIterator<Item = Part>, active: usize) -> Self {
        let mut tabs = Self::new(ContainerKind::Tabs, parts.into_iter().map(|p| (1.0, p)));
        tabs.active = Some(active);
        tabs
    }

    /// The name on its tab.
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }
}

impl From<View> for Part {
    fn from(view: View) -> Self {
        Self::View(view)
    }
}

impl From<Container> for Part {
    fn from(container: Container) -> Self {
        Self::Container(container)
    }
}

impl Part {
    fn path(&self) -> String {
        match self {
            Self::View(v) => format!("view/{}", v.id),
            Self::Container(c) => format!("container/{}", c.id),
        }
    }

    fn write(&self, to: &RecordingStream) -> Result<(), ReviewError> {
        let path = self.path();
        match self {
            Self::View(view) => {
                let contents = view.contents.iter().map(|q| QueryExpression(q.as_str().into()));
                to.log(format!("{path}/ViewContents"), &ViewContents::new(contents))?;
                let blueprint = ViewBlueprint::new(ViewClass(view.class.into()))
                    .with_display_name(Name(view.name.as_str().into()))
                    .with_space_origin(view.origin.clone());
                to.log(path.clone(), &blueprint)?;
                for (name, batches) in &view.properties {
                    to.log_serialized_batches(format!("{path}/{name}"), false, batches.iter().cloned())?;
                }
                for (entity, batches) in &view.overrides {
                    let base = ViewContents::blueprint_base_visualizer_path_for_entity(
                        view.id,
                        &entity.as_str().into(),
                    );
                    to.log_serialized_batches(base, false, batches.iter().cloned())?;
                }
            }
            Self::Container(container) => {
                for part in &container.parts {
                    part.write(to)?;
                }
                let paths: Vec<String> = container.parts.iter().map(Part::path).collect();
                let mut blueprint = ContainerBlueprint::new(container.kind)
                    .with_contents(paths.iter().map(|p| IncludedContent(p.as_str().into())));
                if let Some(name) = &container.name {
                    blueprint = blueprint.with_display_name(Name(name.as_str().into()));
                }
                let shares = || container.shares.iter().map(|s| Float32(*s));
                blueprint = match container.kind {
                    ContainerKind::Horizontal => blueprint.with_col_shares(shares().map(ColumnShare)),
                    ContainerKind::Vertical => blueprint.with_row_shares(shares().map(RowShare)),
                    _ => blueprint,
                };
                if let Some(active) = container.active.and_then(|a| paths.get(a)) {
                    blueprint = blueprint.with_active_tab(ActiveTab(EntityPath::from(active.as_str())));
                }
                to.log(path, &blueprint)?;
            }
        }
        Ok(())
    }
}

/// The whole blueprint.
pub(super) struct Blueprint {
    /// What fills the viewer.
    pub root: Container,
    /// Timeline that it opens on.
    pub timeline: &'static str,
}

impl Blueprint {
    /// Sends it to the recording's viewer, as the default and the active one.
    pub fn send(self, recording: &RecordingStream) -> Result<(), ReviewError> {
        let application = super::APPLICATION;
        let (stream, storage) = RecordingStreamBuilder::new(application).blueprint().memory()?;
        stream.set_time_sequence("blueprint", 0);
        let id = self.root.id;
        Part::from(self.root).write(&stream)?;
        let viewport = ViewportBlueprint::new()
            .with_root_container(RootContainer(re_sdk_types::datatypes::Uuid::from(id)))
            .with_auto_layout(false)
            .with_auto_views(false);
        stream.log("viewport", &viewport)?;
        for panel in ["blueprint_panel", "selection_panel"] {
            stream.log(panel, &PanelBlueprint::new().with_state(PanelState::Collapsed))?;
        }
        // At the end everything has been found; while a mission runs it moves on.
        let time = TimePanelBlueprint::new()
            .with_state(PanelState::Collapsed)
            .with_timeline(TimelineName(self.timeline.into()))
            .with_play_state(PlayState::Following);
        stream.log("time_panel", &time)?;
        let messages = storage.take();
        let Some(first) = messages.first() else { return Ok(()) };
        let activate = BlueprintActivationCommand {
            blueprint_id: first.store_id().clone(),
            make_active: true,
            make_default: true,
        };
        recording.send_blueprint(messages, activate);
        Ok(())
    }
}
