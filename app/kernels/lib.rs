//! The arithmetic of diffusion networks on a processor: plain slices in, plain slices out, nothing else known.
//!
//! One generic body serves every instruction set ([`Isa`]); only what a set can do and others cannot (dot products of
//! bf16 and of bytes) has leaves of its own. Work is cut into tasks that a [`Pool`] of threads takes one by one, and
//! that end early where nobody wants the result any more.

pub mod attention;
pub mod elementwise;
mod isa;
mod math;
mod memory;
pub mod norm;
mod pool;
pub mod product;
mod values;

pub use isa::{Isa, IsaError};
pub use math::Activation;
pub use memory::Buffer;
pub use pool::Pool;
pub use values::{Values, ValuesMut};

pub(crate) use isa::dispatch;
pub(crate) use pool::Disjoint;

/// What a kernel runs with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Which instructions it may use.
    pub isa: Isa,
    /// Who does its tasks.
    pub pool: &'a Pool,
    /// Whether its result is still wanted; asked between tasks, a fraction of a millisecond apart.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// The result of a kernel was not wanted any more: what it wrote is not all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

impl Context<'_> {
    /// `task(0)` … `task(tasks − 1)`, on all threads, in any order.
    ///
    /// # Errors
    /// [`Cancelled`] where some were left out.
    pub fn run(&self, tasks: usize, task: impl Fn(usize) + Sync) -> Result<(), Cancelled> {
        self.pool.run(tasks, &|i| {
            if !(self.cancelled)() {
                task(i);
            }
        });
        if (self.cancelled)() { Err(Cancelled) } else { Ok(()) }
    }

    /// `task(i, part)` for the parts of `out`, `len` values each but the last.
    ///
    /// # Errors
    /// [`Cancelled`] where some were left out.
    pub fn run_parts<T: Send>(
        &self,
        out: &mut [T],
        len: usize,
        task: impl Fn(usize, &mut [T]) + Sync,
    ) -> Result<(), Cancelled> {
        let (len, end) = (len.max(1), out.len());
        let out = Disjoint::new(out);
        self.run(end.div_ceil(len), |i| {
            // SAFETY: each index is run once, and parts of different indices do not overlap.
            #[expect(unsafe_code, reason = "see above")]
            let part = unsafe { out.part(i * len..end.min((i + 1) * len)) };
            task(i, part);
        })
    }
}
