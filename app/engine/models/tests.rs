use super::*;
use fourstep_compute::{
    CancelFloor, CancelToken, HostTensor, Precision, TensorSource,
    candle::{Candle, Device},
};
use fourstep_protocol::{Request, RunId};
use fourstep_weights::{KeyedSource, ModelFiles};
use std::{
    path::Path,
    sync::{Arc, Mutex},
};

/// A source that says which tensors were read, and cancels run 1 while it reads this many of them.
struct Slow {
    source: Arc<dyn KeyedSource>,
    read: Mutex<Vec<String>>,
    cancel_at: usize,
    floor: CancelFloor,
}

impl TensorSource for Slow {
    fn tensor(&self, key: &str) -> fourstep_compute::Result<HostTensor> {
        let mut read = self.read.lock().expect("not poisoned");
        read.push(key.into());
        if read.len() == self.cancel_at {
            self.floor.raise(2);
        }
        self.source.tensor(key)
    }

    fn contains(&self, key: &str) -> bool {
        self.source.contains(key)
    }
}

impl KeyedSource for Slow {
    fn keys(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        self.source.keys()
    }

    fn shape(&self, key: &str) -> Option<&[usize]> {
        self.source.shape(key)
    }
}

fn setup() -> Setup<Candle> {
    let backend = Candle::open(Device::Cpu, Precision::F32).expect("a processor");
    let memory = Memory::new(&backend, Arc::new(|| None));
    Setup { backend, catalog: Catalog::builtin(), memory }
}

fn golden_model(setup: &Setup<Candle>) -> ModelInfo {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/pipeline/sd");
    setup.catalog.inspect(&ModelRef::new(folder.to_string_lossy())).expect("a model")
}

#[test]
fn another_model_is_kept_only_where_a_margin_stays() {
    let setup = setup();
    let info = golden_model(&setup);
    let model =
        || Model::<Candle>::new(Base::open(&setup.catalog, info.clone(), &CancelToken::never()).expect("opened"));
    for (free, kept) in [(480, 1), (479, 0), (400, 0)] {
        let memory = Memory::new(&setup.backend, Arc::new(move || Some(free)));
        let mut models = Models { kept: vec![model()], loras: LoraCache::default() };
        models.make_room(&memory, &mut model(), 400).expect("400 bytes fit");
        assert_eq!(models.kept.len(), kept, "{free} bytes");
    }
}

#[test]
fn a_load_that_is_cancelled_reads_no_other_tensor_and_is_taken_up_where_it_ended() {
    let setup = setup();
    let info = golden_model(&setup);
    let mut files = ModelFiles::open(&setup.catalog.locate(&info.model).expect("located").source).expect("opened");
    let floor = CancelFloor::default();
    let slow = Slow { source: files.unet.weights, read: Mutex::default(), cancel_at: 20, floor: floor.clone() };
    let slow = Arc::new(slow);
    files.unet.weights = slow.clone();
    let tensors = slow.keys().count();
    assert!(tensors > 40);

    let (mut models, request) = (Models::new(), Arc::new(Request::new(&info, "a cat")));
    let run = |id| Run { id: RunId(id), request: &request, cancel: floor.token(id), emit: &|_| () };
    let backend = |run: &Run<'_>| setup.backend.with_cancel(run.cancel.clone());
    let (first, second) = (run(1), run(2));
    let model = Model::new(Base::new(info.clone(), files, &CancelToken::never()).expect("complete"));
    let ended = models.ready_with(&setup, &backend(&first), &first, model).map(|_| ());
    assert!(matches!(ended, Err(RunError::Cancelled)), "{ended:?}");
    assert_eq!(slow.read.lock().expect("not poisoned").len(), 20, "it ends at the tensor it is at");

    assert!(models.ready(&setup, &backend(&second), &second, info).is_ok());
    let read = slow.read.lock().expect("not poisoned").len();
    assert!(
        (tensors..=tensors + 2).contains(&read),
        "only the layer that was cut off is read again: {read} of {tensors}"
    );
}

#[test]
fn the_autoencoder_before_is_kept_so_that_drafts_load_nothing() {
    let setup = setup();
    let info = golden_model(&setup);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/pipeline/sd/vae");
    let own = Arc::new(Request::new(&info, "a cat"));
    let other = Arc::new(Request { vae: Some(folder.to_string_lossy().into()), ..(*own).clone() });
    let (mut models, loads) = (Models::new(), Mutex::new(0));
    let emit = |event| *loads.lock().expect("not poisoned") += u32::from(matches!(event, Event::Loading { .. }));
    let mut loaded_by = |request: &Arc<Request>| {
        let before = *loads.lock().expect("not poisoned");
        let run = Run { id: RunId(1), request, cancel: CancelToken::never(), emit: &emit };
        assert!(models.ready(&setup, &setup.backend, &run, info.clone()).is_ok());
        *loads.lock().expect("not poisoned") - before
    };
    assert!(loaded_by(&own) > 0 && loaded_by(&other) > 0);
    assert_eq!([loaded_by(&own), loaded_by(&other), loaded_by(&own)], [0; 3]);
}
