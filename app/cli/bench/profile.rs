//! What the parts of a run are made of, as the cpu backend writes it down.

use super::super::painter::Painter;
use fourstep_compute::cpu::{LayerCount, Operation, Profiler, Section};
use fourstep_protocol::{Event, Failure, Request};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write, thread, time::Duration};

/// Operations of one run by its parts, those that take longest first, and the layers of the model.
#[derive(Serialize)]
pub(super) struct Profile {
    /// The mean of all steps.
    step: Vec<Row>,
    text: Vec<Row>,
    decode: Vec<Row>,
    layers: Vec<Layers>,
    /// The most memory that tensors took at a time.
    peak_tensor_bytes: usize,
}

/// All calls of an operation at one size.
#[derive(Serialize)]
struct Row {
    operation: &'static str,
    size: String,
    calls: f64,
    secs: f64,
    /// Of the part's time.
    share: f64,
    /// Absent where nothing is multiplied.
    gflops_per_sec: Option<f64>,
}

/// Layers whose weights are in one precision.
#[derive(Serialize)]
struct Layers {
    kind: &'static str,
    precision: &'static str,
    layers: usize,
    bytes: usize,
}

/// Long enough for the bell that follows the last event.
const LAST_BELL: Duration = Duration::from_millis(50);

/// Paints once more, with a prompt that was not seen before. The profiler is marked at each event.
pub(super) fn profile(painter: &mut Painter, profiler: &Profiler, request: &Request) -> Result<Profile, Failure> {
    let mut parts = Vec::new();
    painter.paint(request, &mut |event| {
        parts.push(match event {
            Event::Started { .. } => Some(Part::Text),
            Event::Step { .. } => Some(Part::Step),
            Event::Finished(_) => Some(Part::Decode),
            _ => None,
        });
    })?;
    thread::sleep(LAST_BELL);
    let sections = profiler.sections();
    // A section ends at each event; those of older runs come first.
    let own = &sections[sections.len().saturating_sub(parts.len())..];
    let of = |part| rows(own.iter().zip(&parts).filter(|(_, of)| **of == Some(part)).map(|(section, _)| section));
    Ok(Profile {
        step: of(Part::Step),
        text: of(Part::Text),
        decode: of(Part::Decode),
        layers: profiler.layer_counts().into_iter().map(Layers::from).collect(),
        peak_tensor_bytes: profiler.peak_tensor_bytes(),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Text,
    Step,
    Decode,
}

/// The mean of sections.
fn rows<'a>(sections: impl Iterator<Item = &'a Section>) -> Vec<Row> {
    let (mut sums, mut count) = (BTreeMap::<(&str, &str), (u64, f64, f64)>::new(), 0f64);
    for section in sections {
        count += 1.0;
        for Operation { name, size, calls, secs, flops } in section {
            let sum = sums.entry((name, size)).or_default();
            *sum = (sum.0 + calls, sum.1 + secs, sum.2 + flops);
        }
    }
    let total: f64 = sums.values().map(|(_, secs, _)| secs).sum();
    let rows = sums.into_iter().map(|((operation, size), (calls, secs, flops))| Row {
        operation,
        size: size.into(),
        calls: calls as f64 / count,
        secs: secs / count,
        share: secs / total,
        gflops_per_sec: (flops > 0.0).then_some(flops / secs / 1e9),
    });
    let mut rows: Vec<Row> = rows.collect();
    rows.sort_by(|a, b| b.secs.total_cmp(&a.secs));
    rows
}

impl From<LayerCount> for Layers {
    fn from(LayerCount { kind, precision, layers, bytes }: LayerCount) -> Self {
        Self { kind, precision, layers, bytes }
    }
}

impl Profile {
    /// For a person.
    pub(super) fn table(&self) -> String {
        let parts = [("one step", &self.step), ("text encoder", &self.text), ("decoder", &self.decode)];
        let mut text = parts.map(|(name, rows)| part(name, rows)).concat();
        text.push_str("\nlayers\n");
        for Layers { kind, precision, layers, bytes } in &self.layers {
            let _ = writeln!(text, "{kind:8} {precision:5} {layers:5} layers {:8.1} MB", *bytes as f64 / 1e6);
        }
        let _ = write!(text, "tensors took {:.1} MB at most", self.peak_tensor_bytes as f64 / 1e6);
        text
    }
}

fn part(name: &str, rows: &[Row]) -> String {
    let total: f64 = rows.iter().map(|row| row.secs).sum();
    let mut text = format!("\n{name}: {:.2} ms in operations\n", total * 1e3);
    text.push_str("operation         size                            calls        ms  share  GFLOP/s\n");
    for Row { operation, size, calls, secs, share, gflops_per_sec } in rows {
        let rate = gflops_per_sec.map_or_else(String::new, |rate| format!("{rate:8.1}"));
        let (ms, percent) = (secs * 1e3, share * 100.0);
        let _ = writeln!(text, "{operation:17} {size:30} {calls:6} {ms:9.3} {percent:5.1}% {rate}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_mean_of_sections_by_time() {
        let operation = |name, secs, flops| Operation { name, size: "8".into(), calls: 2, secs, flops };
        let sections = [
            vec![operation("add", 0.1, 0.0), operation("linear", 0.2, 4e9)],
            vec![operation("add", 0.1, 0.0), operation("linear", 0.4, 4e9)],
        ];
        let rows = rows(sections.iter());
        assert_eq!(rows.iter().map(|row| row.operation).collect::<Vec<_>>(), ["linear", "add"]);
        assert!((rows[0].secs - 0.3).abs() < 1e-9 && (rows[0].share - 0.75).abs() < 1e-9 && rows[0].calls == 2.0);
        assert!(rows[0].gflops_per_sec.is_some_and(|rate| (rate - 8.0 / 0.6).abs() < 1e-9));
        assert_eq!(rows[1].gflops_per_sec, None);
    }
}
