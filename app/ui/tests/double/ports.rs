//! The doubles of the ports: they note what they are asked and answer what the test scripts.

use super::{Double, picture};
use fourstep_prompt::Wildcards;
use fourstep_protocol::{
    Client, ClientClosed, Command, Event, Failure, Finished, LibraryItem, ModelRef, Picture, RunId,
};
use fourstep_session::{Moment, Settings};
use fourstep_ui::{
    AdapterInfo, Choice, Devices, Dialogs, GridSheet, KeptPage, Known, Library, LogEntry, Logs, OpenedPicture,
    PageStore, PictureFiles, Ports, PreviewJob, PreviewPicture, Previews, Seen, SettingsStore, Sheet, Shot,
    WildcardFiles,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Client for Double {
    fn send(&self, command: Command) -> Result<(), ClientClosed> {
        self.lock().sent.push(command);
        Ok(())
    }

    fn try_event(&self) -> Option<Event> {
        self.lock().events.pop_front()
    }
}

impl Previews for Double {
    fn prepare(&self, model: &ModelRef) {
        self.lock().prepared.push(model.clone());
    }

    fn finish(&self, run: RunId) {
        self.lock().ended.push(run);
    }

    fn offer(&self, job: PreviewJob) {
        let mut script = self.lock();
        script.offered.push((job.run, job.step));
        script.places.push(job.place);
    }

    fn develop(&self, jobs: Vec<PreviewJob>) {
        self.lock().developed.extend(jobs.into_iter().map(|job| (job.run, job.step)));
    }

    fn newest(&self) -> Option<PreviewPicture> {
        self.lock().previews.pop_front()
    }
}

impl PictureFiles for Double {
    fn save_recording(&self, path: &Path, shots: &[Shot], progress: &mut dyn FnMut(usize)) -> Result<(), Failure> {
        progress(shots.len());
        self.lock().recorded.push((path.to_owned(), shots.len()));
        Ok(())
    }

    fn save(&self, path: &Path, _finished: &Finished, _jpeg_quality: u8) -> Result<(), Failure> {
        if path.starts_with("/full") {
            let why = format!("{} is full", path.display());
            return Err(Failure::machine("The picture could not be saved", why, "Save it to another folder."));
        }
        self.lock().saved.push(path.to_owned());
        Ok(())
    }

    fn save_sheet(&self, path: &Path, sheet: &Sheet) -> Result<(), Failure> {
        self.lock().sheets.push(sheet.clone());
        self.lock().saved.push(path.to_owned());
        Ok(())
    }

    fn save_grid(&self, path: &Path, grid: &GridSheet) -> Result<(), Failure> {
        self.lock().grids.push(grid.clone());
        self.lock().saved.push(path.to_owned());
        Ok(())
    }

    fn open(&self, path: &Path, _known: &Known) -> Result<OpenedPicture, Failure> {
        let request = self.lock().opened.clone();
        let lost = self.lock().lost.clone();
        match request {
            Some(request) => Ok(OpenedPicture { picture: picture(&request), request, lost }),
            None => Err(Failure::input(
                "The picture could not be opened",
                format!("{} carries no settings", path.display()),
                "Choose a PNG that Fourstep saved.",
            )),
        }
    }

    fn read(&self, path: &Path) -> Result<Arc<Picture>, Failure> {
        self.lock().imported.push(path.to_owned());
        let pixel = |i: u32| if i % 100 < 50 { [200, 60, 30] } else { [20, 90, 160] };
        Ok(Arc::new(Picture::from_rows(100, &(0..100 * 80).map(pixel).collect::<Vec<_>>())))
    }

    fn default_dir(&self) -> Result<PathBuf, Failure> {
        Ok("/home/me/Pictures/Fourstep".into())
    }

    fn suggested_name(&self, finished: &Finished) -> String {
        format!("picture-{}.png", finished.request.seed)
    }
}

impl Logs for Double {
    fn count(&self) -> u64 {
        self.lock().log.len() as u64
    }

    fn entries(&self) -> Vec<LogEntry> {
        self.lock().log.clone()
    }
}

impl SettingsStore for Double {
    fn save(&self, settings: &Settings) -> Result<(), Failure> {
        self.lock().settings.push(settings.clone());
        Ok(())
    }
}

impl PageStore for Double {
    fn keep(&self, page: KeptPage) {
        self.lock().pages.push(page);
    }

    fn kept(&self) -> Option<KeptPage> {
        self.lock().pages.last().cloned()
    }
}

impl Library for Double {
    fn items(&self) -> Arc<Vec<LibraryItem>> {
        Arc::clone(&self.lock().items)
    }

    fn refresh(&self) {
        self.lock().looking = true;
    }

    fn is_looking(&self) -> bool {
        self.lock().looking
    }

    fn download(&self, id: &str) {
        self.lock().downloads.push(id.to_owned());
    }

    fn cancel(&self, id: &str) {
        self.lock().cancelled.push(id.to_owned());
    }

    fn look_at(&self, path: PathBuf) {
        self.lock().looked_at.push(path);
    }

    fn seen(&self) -> Option<Seen> {
        self.lock().seen.pop_front()
    }
}

impl Devices for Double {
    fn adapters(&self) -> Arc<Vec<AdapterInfo>> {
        Arc::clone(&self.lock().adapters)
    }

    fn refresh(&self) {
        self.lock().refreshed += 1;
    }
}

impl WildcardFiles for Double {
    fn newest(&self) -> Arc<Wildcards> {
        Arc::clone(&self.lock().wildcards)
    }

    fn refresh(&self) {}
}

impl Dialogs for Double {
    fn save_picture(&self, _folder: &Path, _name: &str) -> Choice {
        self.lock().dialog.clone().unwrap_or(Choice::NoDialogs)
    }

    fn save_recording(&self, _folder: &Path, _name: &str) -> Choice {
        self.lock().dialog.clone().unwrap_or(Choice::NoDialogs)
    }

    fn open_picture(&self, _folder: &Path) -> Choice {
        self.lock().dialog.clone().unwrap_or(Choice::NoDialogs)
    }

    fn any_picture(&self, _folder: &Path) -> Choice {
        self.lock().dialog.clone().unwrap_or(Choice::NoDialogs)
    }

    fn model_folder(&self) -> Choice {
        self.lock().dialog.clone().unwrap_or(Choice::NoDialogs)
    }

    fn model_file(&self) -> Choice {
        self.lock().dialog.clone().unwrap_or(Choice::NoDialogs)
    }
}

pub(super) fn ports(double: &Double) -> Ports {
    let (seeds, clock) = (double.clone(), double.clone());
    Ports {
        client: Box::new(double.clone()),
        previews: Box::new(double.clone()),
        pictures: Arc::new(double.clone()),
        settings: Box::new(double.clone()),
        pages: Box::new(double.clone()),
        library: Box::new(double.clone()),
        devices: Box::new(double.clone()),
        timeline: Box::new(double.clone()),
        gallery: Box::new(double.clone()),
        logs: Box::new(double.clone()),
        dialogs: Arc::new(double.clone()),
        wildcards: Box::new(double.clone()),
        random_seed: Box::new(move || {
            let mut script = seeds.lock();
            script.seeds += 1;
            1000 + script.seeds
        }),
        clock: Box::new(move || Moment(clock.lock().now)),
    }
}
