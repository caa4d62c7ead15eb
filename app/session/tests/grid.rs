//! Grids and neighbourhoods: what is painted in which order, and what it is like to click on.

#![allow(clippy::unwrap_used)]

mod engine;

use engine::{FAST, Pace, World, models};
use fourstep_protocol::{Event, ModelInfo, Recipe, Request, RunId, Sampler};
use fourstep_session::{Action, AxisError, AxisKind, AxisSpec, CellState, GridAction, Moment, Settings, Tab};

/// The first model knows a slow recipe.
fn known() -> Vec<ModelInfo> {
    let mut models = models();
    models[0].compare = Some(Recipe { loras: vec![], sampler: Sampler::Ddim, steps: 25, guidance_scale: 4.0 });
    models
}

fn world(pace: Pace) -> World {
    let mut world = World::of(known(), pace, Settings::sample(&known()));
    world.settle();
    world.session.ui_mut().tab = Tab::Grid;
    world
}

fn axis(kind: AxisKind, text: &str) -> AxisSpec {
    AxisSpec { kind, text: text.into() }
}

fn start(columns: AxisSpec, rows: AxisSpec) -> Action {
    Action::Grid(GridAction::Start { columns, rows })
}

fn finished(world: &World) -> Vec<usize> {
    let cells = world.session.grid().cells().iter().enumerate();
    cells.filter(|(_, cell)| matches!(cell.state, CellState::Finished { .. })).map(|(i, _)| i).collect()
}

#[test]
fn a_grid_fills_in_while_idle_and_a_click_takes_its_settings() {
    let mut w = world(FAST);
    w.act(start(axis(AxisKind::Seed, "5-7"), axis(AxisKind::Steps, "2, 4")));
    w.settle();
    assert_eq!(w.session.grid().labels(), [vec!["5", "6", "7"], vec!["2", "4"]]);
    assert_eq!(finished(&w), [0, 1, 2, 3, 4, 5]);
    let painted: Vec<(u64, u32)> = w.idle.iter().map(|(_, _, r)| (r.seed, r.steps)).collect();
    assert_eq!(painted, [(5, 2), (6, 2), (7, 2), (5, 4), (6, 4), (7, 4)]);
    assert_eq!(w.session.grid_progress().done, 6);
    let before = w.session.request().clone();
    let cell = w.session.grid().cells()[1].request.clone();
    w.act(Action::Restore(Box::new(cell)));
    assert_eq!((w.session.request().seed, w.session.request().steps), (6, 2));
    w.act(Action::Undo);
    assert_eq!(*w.session.request(), before);
    w.settle();
    assert_eq!(finished(&w).len(), 6, "the grid stays as it is");
}

#[test]
fn a_change_interrupts_a_grid_and_it_goes_on_afterwards() {
    let mut w = world(FAST);
    w.act(start(axis(AxisKind::Seed, "1-4"), axis(AxisKind::Nothing, "")));
    w.wait(0.13);
    let (cells, left) = (finished(&w).len(), w.session.grid_progress().secs_left.unwrap());
    assert!(cells == 1 && left > 0.15 && left < 0.4, "{cells} {left}");
    w.act(Action::SetPrompt("another".into()));
    assert!(w.session.idle_run().is_none());
    w.settle();
    assert_eq!(finished(&w), [0, 1, 2, 3]);
    assert!(w.idle.iter().all(|(_, _, r)| r.prompt != "another"), "a grid is of what it was started from");
    w.assert_final();
}

#[test]
fn the_pointer_comes_first_then_what_needs_no_loading() {
    let mut w = world(FAST);
    w.session.act(Action::Grid(GridAction::Point(None)), Moment(w.now));
    let models = axis(AxisKind::Model, "sticker, full, turbo");
    w.session.act(start(models, axis(AxisKind::Seed, "1-5")), Moment(w.now));
    w.act(Action::Grid(GridAction::Point(Some(4))));
    w.settle();
    let painted: Vec<(String, u64)> = w.idle.iter().map(|(_, _, r)| (r.model.to_string(), r.seed)).collect();
    assert_eq!(painted[0], ("full".into(), 2), "the cell itself");
    assert!(painted[..9].iter().all(|(_, seed)| *seed <= 3), "then its neighbours: {painted:?}");
    assert!(painted[9..].iter().all(|(_, seed)| *seed >= 4));
    let changes = painted.windows(2).filter(|pair| pair[0].0 != pair[1].0).count();
    assert_eq!(changes, 4, "each model is loaded twice at most: {painted:?}");
}

#[test]
fn stop_keeps_what_is_there_and_resume_goes_on() {
    let mut w = world(FAST);
    w.act(start(axis(AxisKind::Seed, "1-4"), axis(AxisKind::Nothing, "")));
    w.wait(0.13);
    w.act(Action::Grid(GridAction::Stop));
    w.settle();
    assert_eq!((finished(&w), w.session.grid_progress().stopped), (vec![0], true));
    w.act(Action::Grid(GridAction::Resume));
    w.settle();
    assert_eq!((finished(&w).len(), w.session.grid_progress().stopped), (4, false));
}

#[test]
fn settings_that_do_not_go_together_are_said_and_failures_stay_in_their_cell() {
    let mut w = world(FAST);
    w.act(Action::SetPrompt("a red cat".into()));
    w.settle();
    w.act(start(axis(AxisKind::Words, "red, cursed"), axis(AxisKind::Steps, "4, 9")));
    w.settle();
    let state = |i: usize| w.session.grid().cells()[i].state.clone();
    assert!(matches!(state(0), CellState::Finished { .. }));
    assert!(matches!(state(1), CellState::Failed(_)), "{:?}", state(1));
    assert!(matches!(state(2), CellState::Impossible(why) if why.contains("1 to 8 steps")));
    assert_eq!(w.session.failure(), None);
    assert_eq!(w.session.grid_progress().done, 4);
}

#[test]
fn a_sampler_brings_its_recipe_and_a_number_overrides_it() {
    let mut w = world(FAST);
    w.act(start(axis(AxisKind::Steps, "3"), axis(AxisKind::Sampler, "LCM, euler")));
    w.settle();
    let cells = w.session.grid().cells();
    let settings = |i: usize| {
        let r: &Request = &cells[i].request;
        (r.sampler, r.steps, r.guidance_scale, r.loras.len())
    };
    assert_eq!(settings(0), (Sampler::Lcm, 3, 1.0, 1));
    assert_eq!(settings(1), (Sampler::Euler, 3, 4.0, 0));
}

#[test]
fn values_that_cannot_be_used_are_named() {
    let w = world(FAST);
    let read = |kind, text: &str| w.session.read_axis(&axis(kind, text));
    assert_eq!(read(AxisKind::Words, "apple, pear"), Ok(2));
    assert_eq!(read(AxisKind::Words, "zebra, pear"), Err(AxisError::NotInPrompt("zebra".into())));
    assert_eq!(read(AxisKind::Sampler, "lcm, foo"), Err(AxisError::UnknownSampler("foo".into())));
    assert_eq!(read(AxisKind::Model, "dall-e"), Err(AxisError::UnknownModel("dall-e".into())));
    assert_eq!(read(AxisKind::Steps, "1.5"), Err(AxisError::NotWhole("1.5".into())));
    assert_eq!(read(AxisKind::Lora("lcm-lora".into()), "0-3"), Err(AxisError::Weight("3".into())));
    assert_eq!(read(AxisKind::Seed, "1-99"), Err(AxisError::TooMany));
    assert_eq!(read(AxisKind::Seed, "18446744073709551615"), Ok(1));
    for kind in w.session.axis_kinds() {
        let text = w.session.axis_values(&kind);
        assert!(read(kind.clone(), &text).is_ok(), "{kind:?}: {text}");
    }
}

#[test]
fn neighbours_are_painted_around_the_picture_and_follow_it() {
    let mut w = world(FAST);
    w.act(Action::SetSeed(10));
    w.settle();
    assert_eq!(w.session.neighbour_kinds()[0], AxisKind::Guidance);
    w.act(Action::Grid(GridAction::Neighbours(Some(AxisKind::Guidance))));
    w.settle();
    assert_eq!(w.session.grid().labels(), [vec!["9", "10", "11"], vec!["1", "1.25", "1.5"]]);
    assert_eq!(finished(&w).len(), 9);
    assert_eq!(w.idle.len(), 8, "the picture itself is there");
    let cell = w.session.grid().cells()[5].request.clone();
    w.act(Action::Restore(Box::new(cell)));
    w.settle();
    assert_eq!(w.session.grid().labels(), [vec!["10", "11", "12"], vec!["1", "1.25", "1.5"]]);
    assert_eq!((finished(&w).len(), w.idle.len()), (9, 8 + 3), "what is still a neighbour stays");
    w.session.ui_mut().tab = Tab::Picture;
    w.act(Action::SetSeed(50));
    w.settle();
    assert_eq!(w.idle.len(), 11, "nobody looks");
    w.act(Action::Grid(GridAction::Neighbours(None)));
    assert!(w.session.grid().cells().is_empty());
}

#[test]
fn a_grid_goes_on_in_other_tabs_only_while_live() {
    let mut w = world(FAST);
    w.act(start(axis(AxisKind::Seed, "1-6"), axis(AxisKind::Nothing, "")));
    w.session.ui_mut().tab = Tab::Picture;
    w.wait(0.13);
    assert_eq!(finished(&w).len(), 1);
    w.act(Action::SetLive(false));
    assert_eq!(w.session.idle_run(), None);
    w.settle();
    assert_eq!(finished(&w).len(), 1);
    w.session.ui_mut().tab = Tab::Grid;
    w.wait(0.0);
    w.settle();
    assert_eq!(finished(&w).len(), 6);
    let late = Event::Stopped { run: RunId(1) };
    w.receive(late);
    assert_eq!(finished(&w).len(), 6);
}
