//! What the window needs of rooms it does not know.

use crate::lora_hashes::LoraHashes;
use fourstep_gallery::{GridPage, Here, Panel};
use fourstep_preview::{Image, Job, Preview, Previewer, Turns};
use fourstep_protocol::{Failure, Finished, ModelRef, Picture, RunId};
use fourstep_session::PreviewPlace;
use fourstep_ui::{
    GridSheet, Known, OpenedPicture, PictureFiles, PreviewImage, PreviewJob, PreviewPicture, Previews, Sheet,
    SheetPanel, Shot,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Previews from the preview room.
pub(crate) struct PreviewPort {
    /// Without a thread there are none, and the pictures still come.
    pub(crate) previewer: Option<Previewer>,
    /// Whether the window is drawn by a real graphics card.
    pub(crate) on_card: bool,
    /// What that card is to compute beside drawing.
    pub(crate) turns: Turns,
}

impl Previews for PreviewPort {
    fn prepare(&self, model: &ModelRef) {
        if let Some(previewer) = &self.previewer {
            previewer.prepare(model.clone());
        }
    }

    fn offer(&self, offered: PreviewJob) {
        if let Some(previewer) = &self.previewer {
            previewer.offer(self.job(offered));
        }
    }

    fn develop(&self, jobs: Vec<PreviewJob>) {
        if let Some(previewer) = &self.previewer {
            previewer.develop(jobs.into_iter().map(|asked| self.job(asked)).collect());
        }
    }

    fn newest(&self) -> Option<PreviewPicture> {
        let Preview { run, step, image, .. } = self.previewer.as_ref()?.try_picture()?;
        let image = match image {
            Image::Picture(picture) => PreviewImage::Picture(picture),
            Image::Texture(texture) => PreviewImage::Texture(texture),
        };
        Some(PreviewPicture { run, step, image })
    }

    fn take_turn(&self) -> bool {
        self.turns.take()
    }

    fn finish(&self, run: RunId) {
        if let Some(previewer) = &self.previewer {
            previewer.finish(run);
        }
    }
}

impl PreviewPort {
    fn job(&self, PreviewJob { run, step, model, denoised, step_secs, place }: PreviewJob) -> Job {
        let on_window = match place {
            PreviewPlace::Auto => self.on_card,
            PreviewPlace::Window => true,
            PreviewPlace::Processor => false,
        };
        Job { run, step, model, denoised, step_secs, on_window }
    }
}

/// Picture files through the gallery.
pub(crate) struct GalleryFiles {
    /// What is in LoRAs.
    pub(crate) hashes: LoraHashes,
}

fn panel(SheetPanel { picture, title, lines }: &SheetPanel) -> Panel<'_> {
    Panel { picture, title, lines }
}

impl PictureFiles for GalleryFiles {
    fn save(&self, path: &Path, finished: &Finished, jpeg_quality: u8) -> Result<(), Failure> {
        let Finished { picture, request, timings, .. } = finished;
        let hash = |source: &str| self.hashes.of(source);
        fourstep_gallery::save_with(path, picture, request, Some(timings), &hash, jpeg_quality)
    }

    fn save_recording(&self, path: &Path, shots: &[Shot], progress: &mut dyn FnMut(usize)) -> Result<(), Failure> {
        let shot = |shot: &Shot| fourstep_gallery::Shot { picture: Arc::clone(&shot.picture), stays_ms: shot.stays_ms };
        let shots: Vec<_> = shots.iter().map(shot).collect();
        fourstep_gallery::animate(path, &shots, progress)
    }

    fn save_sheet(&self, path: &Path, sheet: &Sheet) -> Result<(), Failure> {
        let panels: Vec<Panel<'_>> = sheet.panels.iter().map(panel).collect();
        let picture = fourstep_gallery::compose(&sheet.heading, &panels)?;
        fourstep_gallery::save(path, &picture, &sheet.request, None, &|source| self.hashes.of(source))
    }

    fn save_grid(&self, path: &Path, grid: &GridSheet) -> Result<(), Failure> {
        let cells: Vec<Option<&Picture>> = grid.cells.iter().map(Option::as_deref).collect();
        let page = GridPage { heading: &grid.heading, columns: &grid.columns, rows: &grid.rows, cells: &cells };
        let picture = fourstep_gallery::compose_grid(&page)?;
        fourstep_gallery::save(path, &picture, &grid.request, None, &|source| self.hashes.of(source))?;
        let times = path.with_extension("csv");
        fourstep_gallery::write_atomically(&times, |file| file.write_all(grid.times.as_bytes()))
    }

    fn open(&self, path: &Path, known: &Known) -> Result<OpenedPicture, Failure> {
        let opened = fourstep_gallery::open(path)?;
        let hash = |source: &str| self.hashes.of(source);
        let here = Here { request: &known.request, models: &known.models, items: &known.items, hash: &hash };
        let Some(restored) = opened.restore(&here) else {
            let why = format!("{} carries none", path.display());
            let remedy = "Open a picture that was saved by Fourstep, AUTOMATIC1111 or ComfyUI.";
            return Err(Failure::input("There are no settings to bring back", why, remedy));
        };
        Ok(OpenedPicture { request: restored.request, picture: Arc::new(opened.picture), lost: restored.lost })
    }

    fn read(&self, path: &Path) -> Result<Arc<Picture>, Failure> {
        fourstep_gallery::open(path).map(|opened| Arc::new(opened.picture))
    }

    fn default_dir(&self) -> Result<PathBuf, Failure> {
        let what = "There is no folder for pictures";
        let remedy = "Choose a place with the file dialog.";
        let folder = fourstep_gallery::default_folder()
            .ok_or_else(|| Failure::machine(what, "the system names no home folder", remedy))?;
        std::fs::create_dir_all(&folder)
            .map_err(|e| Failure::machine(what, format!("{}: {e}", folder.display()), remedy))?;
        Ok(folder)
    }

    fn suggested_name(&self, finished: &Finished) -> String {
        let folder = fourstep_gallery::default_folder();
        let number = folder.and_then(|folder| fourstep_gallery::next_number(&folder).ok()).unwrap_or(1);
        fourstep_gallery::suggested_name(&finished.request, number)
    }
}
