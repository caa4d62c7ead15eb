/// A point in time: seconds since the program started.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Moment(pub f64);

impl Moment {
    /// Seconds from `earlier` to here; 0 where `earlier` is later.
    pub fn since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0).max(0.0)
    }

    /// The moment `secs` after this one.
    pub fn after(self, secs: f64) -> Self {
        Self(self.0 + secs)
    }

    /// The later of two moments.
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// The earlier of two moments.
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
}
