use fourstep_catalog::Catalog;
use fourstep_engine::{BackendChoice, DeviceOptions, Engine, EngineOptions, Precision};

/// Engines that must give the numbers of diffusers, by name: in f32 on each backend that every machine has.
pub(crate) fn exact_engines(catalog: &Catalog) -> impl Iterator<Item = (&'static str, Engine)> {
    [("candle-cpu", BackendChoice::CandleCpu), ("cpu", BackendChoice::Cpu)].into_iter().map(|(name, backend)| {
        let device = DeviceOptions { backend, precision: Precision::F32, ..DeviceOptions::default() };
        let options = EngineOptions { device, ..EngineOptions::default() };
        (name, Engine::spawn(catalog.clone(), options).expect("an engine"))
    })
}
