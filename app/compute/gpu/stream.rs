use super::{
    AdapterKind,
    device::{Device, Done},
    pipelines::Pipeline,
};
use crate::{CancelToken, Result};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// How long a piece of work should take: two are handed in and a third waits, and a run that is cancelled is over within
/// 20 ms.
const PIECE_SECS: f64 = 0.006;
/// Pieces that the device has: one that it computes, and the next, so that it never waits.
const FLYING: usize = 2;

/// A kernel, what it computes on, and how many workgroups of it.
#[derive(Clone, Debug)]
pub(super) struct Dispatch {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) bound: wgpu::BindGroup,
    pub(super) groups: [u32; 3],
    pub(super) cost: Cost,
}

/// What a dispatch takes on paper: each operand is read and each result is written once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Multiplications and additions.
    pub flops: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
}

impl Cost {
    /// The share of one of `parts` equal parts.
    pub(super) fn share(self, part: usize, parts: usize) -> Self {
        let share = |all: u64| (u128::from(all) * part as u128 / parts.max(1) as u128) as u64;
        Self { flops: share(self.flops), read_bytes: share(self.read_bytes), written_bytes: share(self.written_bytes) }
    }
}

/// The way to the device: what is recorded is handed in piece by piece, each short enough for the system's watchdogs and
/// for whoever waits behind a cancelled run.
pub(super) struct Stream {
    state: Mutex<State>,
    /// What moving a byte takes, in operations.
    flops_per_byte: f64,
}

struct State {
    pending: Vec<Dispatch>,
    pending_work: f64,
    flying: VecDeque<Piece>,
    /// Work that the device does in a second.
    speed: f64,
    /// The most work of a dispatch, a power of two.
    most: f64,
    last_done: Instant,
}

struct Piece {
    done: Done,
    work: f64,
    submitted: Instant,
}

impl Stream {
    pub(super) fn new(kind: AdapterKind) -> Self {
        // Guesses that the first pieces correct; slow ones, for a piece that takes too long cannot be taken back.
        let (speed, flops_per_byte) = match kind {
            AdapterKind::Discrete | AdapterKind::Virtual => (1e12, 16.0),
            AdapterKind::Integrated => (1e11, 16.0),
            AdapterKind::Software => (1e9, 4.0),
        };
        let state = State {
            pending: Vec::new(),
            pending_work: 0.0,
            flying: VecDeque::new(),
            speed,
            most: (speed * PIECE_SECS).log2().floor().exp2(),
            last_done: Instant::now(),
        };
        Self { state: Mutex::new(state), flops_per_byte }
    }

    /// Work of a dispatch, in operations.
    pub(super) fn work(&self, cost: Cost) -> f64 {
        cost.flops as f64 + (cost.read_bytes + cost.written_bytes) as f64 * self.flops_per_byte
    }

    /// Into how many dispatches this much should be cut.
    pub(super) fn cuts(&self, cost: Cost) -> usize {
        (self.work(cost) / self.state().most).ceil().clamp(1.0, 65_536.0) as usize
    }

    /// What this much takes, as far as one can tell.
    pub(super) fn estimate_secs(&self, cost: Cost) -> f64 {
        self.work(cost) / self.state().speed
    }

    /// Takes on work, and hands in a piece where there is enough.
    pub(super) fn push(&self, device: &Device, cancel: &CancelToken, dispatch: Dispatch) -> Result<()> {
        let mut state = self.state();
        state.pending_work += self.work(dispatch.cost);
        state.pending.push(dispatch);
        if state.pending_work < state.speed * PIECE_SECS {
            return Ok(());
        }
        state.hand_in(device)?;
        drop(state);
        self.wait_until(FLYING, device, cancel)
    }

    /// Hands in what is pending.
    pub(super) fn submit(&self, device: &Device) -> Result<()> {
        self.state().hand_in(device)
    }

    /// Waits until everything is done.
    pub(super) fn finish(&self, device: &Device, cancel: &CancelToken) -> Result<()> {
        self.submit(device)?;
        self.wait_until(0, device, cancel)
    }

    /// Waits until the device has no more than this many pieces.
    fn wait_until(&self, pieces: usize, device: &Device, cancel: &CancelToken) -> Result<()> {
        loop {
            let mut state = self.state();
            if state.flying.len() <= pieces {
                return Ok(());
            }
            let Some(piece) = state.flying.pop_front() else { return Ok(()) };
            drop(state);
            let looked = Instant::now();
            let waited = device.wait(&piece.done, cancel);
            let mut state = self.state();
            match waited {
                Ok(()) => state.measure(&piece, looked),
                Err(e) => {
                    state.flying.push_front(piece);
                    return Err(e);
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What panics while it is held is a driver's doing, and leaves a list of work as it was.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hand_in(&mut self, device: &Device) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let (pending, work) = (std::mem::take(&mut self.pending), std::mem::take(&mut self.pending_work));
        let done = device.submit("submit", [device.guard("record", || encode(&device.device, &pending))?])?;
        self.flying.push_back(Piece { done, work, submitted: Instant::now() });
        // Its memory serves the next piece.
        self.pending = pending;
        self.pending.clear();
        Ok(())
    }

    /// What a piece's end tells about the speed. One that was done when somebody looked took less time than it seems, and
    /// of a small one most of the time is that of handing it in.
    fn measure(&mut self, piece: &Piece, looked: Instant) {
        let done = Instant::now();
        let seconds = (done - piece.submitted.max(self.last_done)).as_secs_f64().max(1e-5);
        let waited = (done - looked).as_secs_f64() > seconds * 0.05;
        self.last_done = done;
        let measured = piece.work / seconds;
        let whole = piece.work >= 0.5 * self.speed * PIECE_SECS;
        if whole && (waited || measured > self.speed) {
            self.speed = 0.75 * self.speed + 0.25 * measured;
        }
        // Not at every change, so that a step is cut like the one before and finds everything bound.
        let piece = self.speed * PIECE_SECS;
        if piece < 0.6 * self.most || piece > 3.0 * self.most {
            self.most = piece.log2().floor().exp2();
        }
    }
}

/// Dispatches as the device takes them.
pub(super) fn encode(device: &wgpu::Device, dispatches: &[Dispatch]) -> wgpu::CommandBuffer {
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
    for Dispatch { pipeline, bound, groups: [x, y, z], .. } in dispatches {
        pass.set_pipeline(&pipeline.raw);
        pass.set_bind_group(0, bound, &[]);
        pass.dispatch_workgroups(*x, *y, *z);
    }
    drop(pass);
    encoder.finish()
}
