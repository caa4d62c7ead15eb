use super::out;
use clap::Args;
use fourstep_compute::gpu::{Adapter, AdapterKind, adapters};
use fourstep_protocol::Failure;
use serde::Serialize;

/// Any part of a name does for `--adapter`. `--backend auto` takes the first that is not software.
#[derive(Args)]
pub(super) struct AdaptersArgs {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// What `--json` prints of each.
#[derive(Serialize)]
struct Described {
    name: String,
    kind: String,
    api: &'static str,
    driver: String,
    /// `null` where it does not tell.
    memory_bytes: Option<u64>,
    f16: bool,
    subgroups: bool,
    cooperative_matrices: bool,
    largest_binding_bytes: u64,
    /// Whether `--backend auto` takes it.
    auto: bool,
}

/// Lists graphics adapters, the best first.
pub(super) fn run(args: &AdaptersArgs) -> Result<(), Failure> {
    let found = adapters();
    let best = found.iter().position(|adapter| adapter.kind != AdapterKind::Software);
    let described = found.into_iter().enumerate().map(|(at, adapter)| Described::of(adapter, best == Some(at)));
    let described: Vec<Described> = described.collect();
    if args.json {
        return out::json(&described);
    }
    for adapter in &described {
        out::line(&adapter.lines())?;
    }
    if best.is_none() {
        out::note("There is no graphics card that can be used: the processor paints.");
    }
    Ok(())
}

impl Described {
    fn of(adapter: Adapter, auto: bool) -> Self {
        let Adapter { name, kind, api, driver, memory_bytes, f16, subgroups, .. } = adapter;
        let Adapter { cooperative_matrices, largest_binding_bytes, .. } = adapter;
        let kind = kind.to_string();
        Self {
            name,
            kind,
            api,
            driver,
            memory_bytes,
            f16,
            subgroups,
            cooperative_matrices,
            largest_binding_bytes,
            auto,
        }
    }

    /// What it is called, and below what it is and can.
    fn lines(&self) -> String {
        let can = [(self.f16, "f16"), (self.subgroups, "subgroups"), (self.cooperative_matrices, "matrix units")];
        let can: Vec<&str> = can.into_iter().filter(|(can, _)| *can).map(|(_, what)| what).collect();
        let can = if can.is_empty() { String::new() } else { format!(" · {}", can.join(", ")) };
        let memory = self.memory_bytes.map_or("memory unknown".into(), |b| format!("{:.1} GB", b as f64 / 1e9));
        let auto = if self.auto { " · taken by auto" } else { "" };
        let Self { name, kind, api, driver, .. } = self;
        format!("{name} ({api})\n    {kind} · {memory}{can} · driver {driver}{auto}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_adapter_does_not_tell_is_said() {
        let adapter = Adapter {
            name: "Card".into(),
            kind: AdapterKind::Discrete,
            api: "Metal",
            driver: "1.2".into(),
            memory_bytes: None,
            f16: true,
            subgroups: true,
            cooperative_matrices: false,
            largest_binding_bytes: 1 << 30,
        };
        let known = Adapter { memory_bytes: Some(8_100_000_000), f16: false, subgroups: false, ..adapter.clone() };
        let lines = Described::of(adapter, true).lines();
        assert_eq!(lines, "Card (Metal)\n    discrete · memory unknown · f16, subgroups · driver 1.2 · taken by auto");
        assert_eq!(Described::of(known, false).lines(), "Card (Metal)\n    discrete · 8.1 GB · driver 1.2");
    }
}
