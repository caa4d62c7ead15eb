# Every text of the window. zh-Hant.ftl has the same keys with the same arguments.

## The state

status-label = Status: { $word }
status-starting = Starting
status-live = Live
status-waiting = Waiting
status-loading = Loading
status-painting = Painting { $step }/{ $steps }
status-paused = Paused
status-failed = Failed
status-starting-meaning = The engine is starting
status-live-meaning = Every change is painted by itself
status-waiting-meaning = Painting begins when you pause; Enter paints at once
status-loading-meaning = A model is being opened
status-painting-meaning = A picture is being painted; Esc stops
status-paused-meaning = Live painting is off; Enter paints
status-failed-meaning = The last run failed; see the message below the picture

## Top bar

top-shortcuts = Keyboard shortcuts
top-preferences = Preferences
top-rate = Pictures/s
top-rate-meaning = Pictures that are finished in a second without pause
top-first-preview = First preview
top-first-preview-meaning = From a change to the first preview on screen
top-last-run = Last run
top-last-run-meaning = From a change to the finished picture
top-device = Device
top-device-meaning = Computed by { $backend } with { $threads } threads
top-device-card = Computed by { $device }. Click to choose another device

## Menu of models

menu-model = Model { $name }, { $detail }
menu-choose = Choose a model
menu-models = Models
menu-all = All models…
menu-all-tip = Everything here and to download
menu-open-folder = Open model folder…
menu-open-folder-tip = Paint with any model in the diffusers layout

## Status bar: what happened last

bar-painted = Painted in { $total } · text { $text } · { $n ->
    [one] { $n } step
   *[other] { $n } steps
} { $steps } · decode { $decode }
bar-painted-loaded = { $painted } · model opened in { $time }
bar-copied = Picture copied to the clipboard
bar-saved = Saved to { $path }
bar-restored = Settings of { $name } are back
bar-saving = Saving the recording { $percent } %
bar-opening = Opening { $what }
bar-opening-percent = Opening { $what } { $percent } %
bar-cancel-opening = Cancel opening the model
bar-show-downloads = Show downloads
bar-show = Show
bar-download = { $name }: { $progress }
bar-picture = { $width } × { $height } · { $sampler } · seed { $seed }
bar-no-glyph = No font on this computer has the character { $code }. Install one, for example { $font }.

## What the program did differently

notice-size = Size changed from { $asked } to { $used }: sides are multiples of 8 from 64 to 4096 px
notice-steps = Steps clamped from { $asked } to { $used }: { $sampler } takes { $least } to { $most }
notice-guidance = Guidance clamped from { $asked } to { $used }: { $why }
notice-guidance-few-step = few-step sampling burns out above 2 (a classic sampler such as ddim takes up to 15)
notice-guidance-classic = 1 means no guidance
notice-guidance-embedded = these are the scales the model was trained with
notice-guidance-none = this model has no guidance
notice-mask = The mask does not fit its picture: painted without it
notice-lora-in-stack = { $name } is in the stack already
notice-unknown-model = The picture was painted with { $missing }, which is not here: its other settings are used with { $used }

## Files that were dropped or opened together

batch-nothing = There is nothing to paint with in { $name }
batch-folder = { $models ->
    [one] { $models } model
   *[other] { $models } models
} and { $loras ->
    [one] { $loras } LoRA
   *[other] { $loras } LoRAs
} of { $name } are in the library
batch-model = Painting with { $name }
batch-lora = { $name } is on the stack of LoRAs
batch-vae = Decoding with { $name }
batch-library = { $name } is in the library
batch-more-failed = { $why } ({ $n ->
    [one] { $n } file
   *[other] { $n } files
} more could not be used either)
batch-lora-off = It is switched off: { $why }
drop-title = Drop to use
drop-hint = A picture brings its settings back; a model paints; a LoRA joins the stack.
drop-picture = its settings come back
drop-weights = a model paints, a LoRA joins the stack, a VAE decodes
drop-folder = a model paints, a folder of models joins the library
drop-pickle = not opened: such files can run code; convert it to .safetensors
drop-other = not a picture, a model or a LoRA
drop-more = and { $n } more

## Failures

error-dismiss = Dismiss
error-retry = Retry
error-log = Show log
error-engine-ended = Painting has ended
error-engine-ended-remedy = Start Fourstep again; the settings are kept.
error-sentence = { $what }: { $why }

## Words for amounts and times

words-secs-left = { $n } s left
words-mins-left = { $n } min left
words-hours-left = { $hours } h { $mins } min left
words-days-left = more than a day left
words-amount = { $done } of { $total }
words-waiting = Waiting
words-checking = checking
words-checking-alone = Checking
words-connection-lost = the connection was lost, trying again
words-connecting = connecting
words-trying-again = { $percent } · trying again
words-built-in = in the program
words-hub = Hugging Face, { $repo }
words-hub-cache = Hugging Face cache, { $repo }
words-folder = folder { $name }
steps-count = { $n ->
    [one] { $n } step
   *[other] { $n } steps
}

## What a model wants

wants-label = What this model wants: { $text }
wants-tip = What { $name } wants. { $detail }: { $settings }, { $size }
wants-no-guidance = no guidance
wants-guidance = guidance { $least }–{ $most }
wants-distilled = 1–4 steps, no guidance
wants-embedded = 1–8 steps, guidance { $least }–{ $most }, no negative prompt
wants-few-step = 2–8 steps, guidance 1–2
wants-classic = about { $steps } steps, guidance { $guidance }, or an LCM-LoRA
misfit-from-custom = Made for a model of its own sizes; { $model } is { $family }
misfit-to-custom = Made for { $made }, not for { $model }
misfit-family = Made for { $made }; { $model } is { $family }

## LCM-LoRA in one click

few-paints = Paints in { $n ->
    [one] { $n } step
   *[other] { $n } steps
}
few-with = with LCM-LoRA
few-downloading = Downloading LCM-LoRA
few-steps-with = { $n } steps with LCM-LoRA
few-steps-with-size = { $n } steps with LCM-LoRA ({ $size })
few-download = Download of the LCM-LoRA
few-off = Switch the LCM-LoRA off; sampler, steps and guidance are as before
few-on = Paint with the LCM-LoRA: weight 1, LCM sampler, 4 steps, guidance 1.0
few-cancel = Cancel
few-cancel-name = Cancel the download of the LCM-LoRA
few-retry = Retry
few-get = Get it
few-get-name = Download the LCM-LoRA and paint with it

## Panel

panel-show = Show { LOWER($name) }
panel-hide = Hide { LOWER($name) }
panel-slider-keys = ← →, Shift for fine, double-click resets
prompt-name = Prompt
prompt-hint = Describe the picture
prompt-tokens = { $used }/{ $window } tokens
prompt-tokens-over = { $used }/{ $window }, { $over } not read
prompt-without = Show the picture without the word under the pointer
prompt-surprise = Surprise me with a prompt
prompt-unknown-word = { $model } has no token for “{ $word }” and reads it in fragments.
prompt-unknown-wildcard = There are no wildcards called { $name }: put { $name }.txt into the folder “wildcards” of the settings.
prompt-unknown-tag = Tags such as <{ $name }:…> have no effect here.
prompt-tag-weight = The weight of { $name } is no number: 1 is used.
prompt-unknown-lora = There is no LoRA called { $name }.
prompt-absent-lora = The LoRA { $name } is not downloaded yet.
prompt-misfit-lora = The LoRA { $name } was made for other models.
prompt-negative-lora = Name the LoRA { $name } in the prompt: in the negative prompt it has no effect.
styles-name = Styles
styles-none = A style keeps these prompts for others; {"{"}prompt{"}"} is where their words go.
styles-apply = Apply the style { $name }
styles-delete = Delete the style { $name }
styles-save = Save
styles-save-name = Save both prompts as a style
styles-hint = Name of a new style
styles-field = Name of the style
blend-name = Mix of prompts
blend-none = none
blend-explain = Mix the prompt with up to three others by dragging between them.
blend-add = Add prompt
blend-prompt = Prompt { $letter }
blend-remove = Remove prompt { $letter }
blend-hint = Another picture
blend-tip = Drag between the prompts
negative-name = Negative prompt
negative-hint = blurry, text, watermark
negative-active = What to steer away from.
negative-off-at-one = no effect at 1.0
negative-off-at-one-why = Has no effect while guidance is 1.0: no unconditional pass runs.
negative-off = no effect
negative-embedded-why = Has no effect: this model's guidance is trained in, no unconditional pass runs.
negative-none-why = Has no effect: this model has no guidance.
guidance-name = Guidance
guidance-cfg = Guidance (CFG)
guidance-trained = Guidance (trained in)
guidance-cost = { $value } · { $factor }× cost
guidance-none = this model has none
guidance-tip = How closely the picture follows the prompt. Above 1.0 a second pass runs each step.
guidance-trained-tip = How closely the picture follows the prompt, as this model was trained.
guidance-none-tip = Distilled models paint without guidance: the prompt alone decides, and a negative prompt has no effect.
steps-name = Steps
steps-tip = Denoising steps
seed-name = Seed
seed-previous = Previous seed
seed-next = Next seed
seed-random = New random seed
seed-keep = Keep the seed when you paint again
seed-kept = Seed is kept when you paint again
size-name = Size
size-square = Square 1:1
size-landscape = Landscape 4:3
size-portrait = Portrait 3:4
size-wide = Wide 16:9
size-tall = Tall 9:16
advanced-name = Advanced
advanced-sampler = Sampler
advanced-vae = VAE
advanced-own-vae = Model's own
advanced-noise = Noise
advanced-torch-tip = Noise of PyTorch's CPU generator, as in diffusers and ComfyUI
advanced-philox-tip = Noise of the CUDA generator, as in AUTOMATIC1111
advanced-exact-size = Exact size
advanced-exact-size-hint = Multiples of 8, from 64 to 4096 pixels.
advanced-width = Width in pixels
advanced-height = Height in pixels

## Stack of LoRAs

loras-name = LoRAs
loras-none = none
loras-some-on = { $on } of { $all } on
loras-empty = None. Drop a LoRA file on the window, or add one of the library.
loras-add = Add LoRA…
loras-weight = Weight of { $name }
loras-weight-tip = 1 is as trained, 0 has no effect
loras-switch-off = Switch off { $name }
loras-switch-on = Switch on { $name }
loras-remove = Take { $name } out of the stack
loras-label = { $name }: { $about }
loras-all-match = all { $total } modules match
loras-some-match = { $matched } of { $total } modules match
loras-modules = { $n } modules
loras-made-for = Made for { $family }
loras-change = { $matched } of { $total } modules change the model
loras-ignored = Without effect: { $names }
loras-ignored-more = Without effect: { $names } and { $n } more
loras-move = Move { $name }
loras-move-tip = Drag to another place. The order changes no picture.
loras-word-there = { $word } is in the prompt
loras-word-add = Add { $word } to the prompt

## Stage

stage-from-before = from before
stage-without = without “{ $word }”
stage-picture = Picture of { $prompt }
stage-picture-before = Picture of { $prompt }, from before
stage-no-picture = No picture yet
stage-opening = Opening { $what }, { $percent } %
stage-first-picture = The first picture is on its way
stage-step = step { $step }/{ $steps }
stage-only = Nothing but the picture
stage-smooth = Draw the picture smooth
stage-pixels = Show the picture's pixels
stage-one-to-one = One pixel of the picture to a pixel of the screen
record-begin = Record finished pictures
record-end = End the recording and save its { $n ->
    [one] { $n } picture
   *[other] { $n } pictures
}
record-nothing = Nothing was painted while it recorded
record-full = The recording is full: end it to save it
stage-draft = Draft · { $steps }
stage-draft-name = { $decoder ->
    [tiny] A draft, { $steps } at { $size } by the tiny decoder, to keep the time chosen in the preferences; the picture itself follows after a pause
   *[own] A draft, { $steps } at { $size }, to keep the time chosen in the preferences; the picture itself follows after a pause
}
stage-fit = Fit
stage-fit-name = Fit the picture to the window
stage-fit-keys = { $keys } or double-click
stage-pause = Pause
stage-pause-name = Pause live painting
stage-live = Go live
stage-live-name = Paint every change by itself
stage-paint = Paint
stage-paint-name = Paint now
stage-stop = Stop
stage-stop-name = Stop painting
stage-save = Save picture
stage-copy = Copy picture
stage-open = Open a saved picture and its settings
stage-redo = Redo settings
stage-undo = Undo settings

## Views of the stage

tab-list = View
tab-picture = Picture
tab-picture-name = The live picture
tab-twin = Twin
tab-twin-name = Compare with the same in many steps
tab-grid = Grid
tab-grid-name = Pictures in rows and columns
tab-canvas = Canvas
tab-canvas-name = Draw, and paint what is drawn
tab-gallery = Gallery
tab-gallery-name = Saved pictures
twin-live = Live picture
twin-slow = Slow picture
twin-only-few-steps = { $name } only knows how to paint in few steps: there is nothing to compare it with.
twin-is-slow = This picture is painted in many steps itself.
twin-no-picture = It is painted as soon as the live picture is there.
twin-waiting = It is painted when there is nothing else to do.
twin-guidance = guidance { $scale }
twin-sides = Side by side
twin-sides-name = Both pictures beside each other
twin-wipe = Wipe
twin-wipe-name = A divider between both pictures
twin-onion = Onion skin
twin-onion-name = The slow picture laid over the live one
twin-difference = Difference
twin-difference-name = Where the pictures differ
twin-divider = Divider
twin-cover = Slow picture over the live one
twin-equal = equal
twin-apart = far apart
twin-mean = mean { $percent } %
twin-save = Save both
twin-save-name = Save both pictures on one labelled sheet
twin-step = { $side }: step { $step } of { $steps }
twin-step-tip = click again for the finished picture
grid-own = Grid
grid-own-name = Vary two settings of your choice
grid-neighbours = Neighbours
grid-neighbours-name = What lies around the picture, painted while idle
grid-columns = From left to right
grid-rows = From top to bottom
grid-values = { $axis }: values
grid-around = Seeds from left to right, from top to bottom
grid-nothing = Nothing
grid-words = Prompt words
grid-seed = Seed
grid-steps = Steps
grid-guidance = Guidance
grid-sampler = Sampler
grid-model = Model
grid-lora = LoRA { $name }
grid-nothing-hint = One row or column
grid-words-hint = The first word is looked for in the prompt, each takes its place: apple, pear, plum
grid-whole-hint = A list or a range: 1-8, or 1, 2, 4, or 1-9 (+2)
grid-number-hint = A list or a range: 1, 1.5, 2 or 1.0-2.0 (+0.25) or 0-1 [5]
grid-list-hint = Names with commas between them
grid-empty = Type at least one value.
grid-not-a-number = “{ $what }” is neither a number nor a range such as 1-8 or 1.0-2.0 (+0.25).
grid-not-whole = { $what } is not a whole number.
grid-no-way = The steps of “{ $what }” lead nowhere.
grid-too-many = At most 12 values go on one axis.
grid-unknown-sampler = No sampler is called “{ $what }”.
grid-unknown-model = No model on this computer is called “{ $what }”.
grid-not-in-prompt = “{ $what }” is not in the prompt; the first value is what is replaced.
grid-weight = A LoRA's weight is from -2 to 2, not { $what }.
grid-paint = Paint grid
grid-stop = Stop the grid
grid-resume = Go on with the grid
grid-save = Save the grid with its labels, and its times as a table
grid-progress = { $done } of { $total }
grid-size = { $columns } × { $rows } pictures, painted while nothing else is
grid-none = Choose what varies from left to right and from top to bottom, then paint the grid.
grid-none-around = The neighbours are painted as soon as the picture is there.
grid-cell = { $name }: { $state }
grid-cell-tip = click takes its settings
grid-waiting = not painted yet
grid-painting = being painted

## Canvas

canvas-page = Page to draw on
canvas-painted = Painted picture
canvas-brush = Brush
canvas-eraser = Eraser
canvas-fill = Fill what has one colour
canvas-eyedropper = Take a colour from the page
canvas-line = Line
canvas-rectangle = Rectangle
canvas-ellipse = Ellipse
canvas-undo = Undo drawing
canvas-redo = Redo drawing
canvas-colors = Colours
canvas-color = Colour
canvas-other-color = Other colour
canvas-swap-colors = Swap the two colours
canvas-size = Size
canvas-size-tip = Width of the brush; [ and ] change it
canvas-hardness = Hardness
canvas-opacity = Opacity
canvas-tolerance = Tolerance
canvas-filled = Filled
canvas-filled-name = Draw rectangles and ellipses with their inside
canvas-layer = Draw on
canvas-sketch = Sketch
canvas-sketch-name = Draw on the sketch
canvas-mask = Mask
canvas-mask-name = Draw what is to be repainted; the rest stays
canvas-strength = Strength
canvas-strength-tip = How much of the page is repainted
canvas-grow = Grow
canvas-grow-tip = Repaint so much around the mask too
canvas-feather = Feather
canvas-feather-tip = Fade into the rest over so many pixels
canvas-keep = Keep result
canvas-keep-name = Keep the painted picture and draw on over it
canvas-page-menu = New page, open, clear, enlarge
canvas-new = New white page
canvas-new-colored = New page in the colour in hand
canvas-open = Open a picture to paint over…
canvas-paste = Paste a picture, to be placed
canvas-placing = Drag it; its handles scale and turn it
canvas-place = Place
canvas-discard = Discard
canvas-over-shown = Paint over the current picture
canvas-clear-sketch = Clear the sketch
canvas-clear-mask = Clear the mask
canvas-invert-mask = Invert the mask
canvas-enlarge-by = Enlarge the page by, in px
canvas-left = Left
canvas-left-name = Pixels added at the left
canvas-top = Top
canvas-top-name = Pixels added at the top
canvas-right = Right
canvas-right-name = Pixels added at the right
canvas-bottom = Bottom
canvas-bottom-name = Pixels added at the bottom
canvas-enlarge = Enlarge
canvas-enlarge-name = Enlarge the page and paint what is new
canvas-imported = { $name } is on the canvas
canvas-drop = it is painted over on the canvas

## Painting larger

upscale-name = Paint the picture twice as large
upscale-progress = Painting larger: tile { $tile } of { $tiles }
upscale-left = Painting larger: tile { $tile } of { $tiles }, { $time }
upscale-cancel = Cancel
upscale-cancel-name = Cancel painting larger

## Browser of the library

browser-models = Models
browser-loras = LoRAs
browser-vaes = VAEs
browser-decoders = Preview decoders
browser-close = Close
browser-open-folder = Open folder…
browser-open-file = Open file…
browser-refresh = Look through the folders again
browser-search = Search
browser-search-hint = Search by name
browser-all = All
browser-all-name = Here and to download
browser-here = Installed
browser-here-name = On this computer
browser-hub = Available
browser-hub-name = To download
browser-only-family = Only { $family }
browser-looking = Looking through your folders
browser-looking-now = The list fills as they are found.
browser-not-called = None of the { $kind } is called “{ $query }”
browser-not-called-now = Clear the search, or choose All.
browser-none-here = No { $kind } here yet
browser-none-hub = No { $kind } to download
browser-none-here-family = No { $kind } for { $family } here yet
browser-none-hub-family = No { $kind } for { $family } to download
browser-none-now = Drop a .safetensors file on the window, or open a folder you use already.
browser-counts = { $listed } listed · { $here } installed
browser-counts-looking = { $listed } listed · { $here } installed · looking through folders
browser-keys = ↑ ↓ choose · Enter use or download · Esc close
row-partly-here = { $amount } is here
row-add = Add
row-add-name = Add { $name }
row-use = Use
row-use-name = Use { $name }
row-resume = Resume
row-resume-name = Resume the download of { $name }
row-download = Download
row-download-name = Download { $name }
row-cancel = Cancel
row-cancel-name = Cancel the download of { $name }
row-retry = Retry
row-retry-name = Download again { $name }
row-progress = Download of { $name }
row-unusable = cannot be used
row-in-use = in use
row-in-stack = in the stack
row-decodes = decodes previews

## Dialogs

path-name = Path
path-cancel = Cancel
path-picture = Open picture
path-picture-hint = For example /home/me/Pictures/apple.png
path-picture-why = This desktop has no file dialog. Give the path of a PNG that Fourstep saved, or drop it on the window.
path-import = Paint over a picture
path-import-hint = For example /home/me/Pictures/photo.jpg
path-import-why = This desktop has no file dialog. Give the path of a PNG, JPEG or WebP file, or drop it on the canvas.
path-model = Open model, LoRA or VAE
path-model-button = Open
path-model-hint = For example /home/me/models/dreamshaper_8.safetensors
path-model-why = This desktop has no file dialog. Give the path of a .safetensors file, of a model folder, or of a ComfyUI or AUTOMATIC1111 folder; or drop it on the window.
dialog-recording = Save recording
dialog-pictures = Pictures
dialog-save = Save picture
dialog-open = Open picture
dialog-import = Open a picture to paint over
dialog-model-folder = Open model folder
dialog-model-file = Open model, LoRA or VAE

## Help

help-title = Keyboard shortcuts
help-close = Close
help-painting = Painting
help-paint = Paint now; again for another seed
help-new-line = New line in the prompt
help-weight = More or less weight for a word
help-without = Over a word: the picture without it
help-pause = Pause live painting, or go live
help-stop = Stop painting
help-settings = Settings
help-steps = Steps
help-steps-1 = 1 step
help-steps-2 = 2 steps
help-steps-3 = 3 steps
help-steps-4 = 4 steps
help-steps-5 = 5 steps
help-steps-6 = 6 steps
help-steps-7 = 7 steps
help-steps-8 = 8 steps
help-seed = New random seed
help-seeds = Previous and next seed
help-keep-seed = Keep the seed
help-models = All models, LoRAs and VAEs
help-undo = Undo and redo settings
help-picture = Picture
help-save = Save picture
help-copy = Copy picture
help-open = Open a picture and its settings
help-open-folder = Open a model folder
help-timeline = Older and newer pictures
help-older = Older picture
help-newer = Newer picture
help-star = Star a picture
help-go-on = Go on from a picture: take its settings
help-view = View
help-tabs = The next view: twin, grid, canvas…
help-stage-only = Nothing but the picture
help-zoom = Fit, or one pixel to a pixel
help-pixels = Smooth, or pixels
help-letters = Larger and smaller letters
help-larger = Larger letters
help-smaller = Smaller letters
help-preferences = Preferences
help-log = Show log
help-welcome = First page
help-canvas = Canvas
help-tools = Brush, eraser, fill, eyedropper
help-forms = Line, rectangle, ellipse
help-brush-size = Smaller and larger brush
help-help = These shortcuts

## Following the run of the picture on the stage

bond-fork = Keep the first steps
bond-fork-meaning = The first steps of this picture stay as they are; what you change varies the rest.
bond-composition = Hold the composition
bond-composition-meaning = Where things are, and how light, stays for so many steps; prompt, LoRAs and guidance change the rest.
bond-on = { $name }: { $n }
bond-first = { $n ->
    [one] The first step
   *[other] The first { $n } steps
}
bond-steps = Steps
bond-off = Let go

## Timeline

timeline-title = Timeline
timeline-fold = Fold the timeline
timeline-unfold = Unfold the timeline
timeline-scrub = Go through the pictures painted so far
timeline-empty = Every picture you paint is kept here, so that you can go back to it
timeline-count = { $n ->
    [one] { $n } picture
   *[other] { $n } pictures
}
timeline-place = { $at } of { $n } · { $ago }
timeline-frame = Picture { $at }, { $ago }
timeline-frame-starred = Picture { $at }, { $ago }, starred
timeline-star = Give it a star: it is never dropped
timeline-unstar = Take the star away
timeline-branch = Go on from this picture: take its settings
timeline-branched = Going on from an older picture; Ctrl+Z takes it back
timeline-live = Back to the newest picture
timeline-size = Size on disk of the timeline
timeline-keep = Keep up to { $size }
timeline-badge = from the timeline · { $ago }

ago-now = just now
ago-minutes = { $n } min ago
ago-hours = { $n } h ago
ago-days = { $n ->
    [one] yesterday
   *[other] { $n } days ago
}

## Gallery of saved pictures

gallery-search = Search saved pictures
gallery-search-hint = Search prompts and names
gallery-only-starred = Only pictures with a star
gallery-look-again = Look through the folder again
gallery-age = Saved
gallery-any-time = Any time
gallery-day = Last 24 hours
gallery-week = Last 7 days
gallery-month = Last 30 days
gallery-year = Last 365 days
gallery-model = Model
gallery-all-models = All models
gallery-count = { $n } of { $total } saved pictures
gallery-waiting = { $n } still to be looked at
gallery-nothing-found = No saved picture is like this. Search for fewer words.
gallery-empty = No picture is saved yet. Ctrl+S saves the one on the stage.
gallery-picture = Saved picture: { $name }
gallery-picture-starred = Saved picture with a star: { $name }
gallery-back = Gallery
gallery-back-tip = Back to all pictures
gallery-previous = Previous picture
gallery-next = Next picture
gallery-use = Use settings
gallery-use-tip = Take over the settings of this picture
gallery-delete = Move to the trash
gallery-deleted = { $name } goes to the trash
gallery-undelete = Keep it
gallery-reveal = Show in the folder
gallery-copy-path = Copy the path
gallery-path-copied = Path copied to the clipboard
gallery-unreadable = This file cannot be read any more

## What did not come back with a picture's settings

restored-title = Settings of { $name } are back, but for this:
restored-dismiss = Close the list
restored-model = Model { $name } is not here; the present one stays
restored-model-to-download = Model { $name } is not downloaded; the list of models has it
restored-lora = LoRA { $name } is not here
restored-lora-to-download = LoRA { $name } is not downloaded; the list of LoRAs has it
restored-other-lora = LoRA { $name } is another file than the picture was painted with
restored-vae = VAE { $name } is not here
restored-sampler = Sampler { $name } is not known; { $used } is used
restored-schedule = Schedule { $name } is not known; the sampler's own is used
restored-steps = { $wanted } steps became { $used }
restored-size = Size { $name } cannot be painted
restored-number = { $key } { $value } does not fit
restored-init = The picture it started from is not in the file
restored-setting = { $key } is not known here

## Preferences

prefs-title = Preferences
prefs-general = General
prefs-keys = Shortcuts
prefs-language = Language
prefs-system = As the system
prefs-theme = Theme
prefs-dark = Dark
prefs-light = Light
prefs-letters = Size of letters
prefs-letters-tip = Letters and controls together
prefs-jpeg = Quality of JPEG files
prefs-jpeg-tip = For pictures that are saved with .jpg; PNG and WebP keep every pixel
prefs-latency = Show a change within
prefs-latency-off = Off
prefs-latency-ms = { $n } ms
prefs-latency-why = While things move, the tiny decoder, fewer steps or a smaller size keep this time, marked as a draft; after a pause the picture is painted as asked for.
prefs-percent = { $n } %
prefs-computing = Computing
prefs-device = Device
prefs-device-why = Another device takes over at once and paints the picture again. Where a card fails or has too little memory, the processor goes on.
prefs-previews = Previews are decoded by
prefs-previews-auto = Automatic
prefs-previews-window = The window's card
prefs-previews-processor = The processor
prefs-previews-why = The card that draws the window decodes previews where they are shown, in slices that leave its drawing smooth. Automatic uses it where it is a real card.
device-auto = Automatic: the best graphics card, else the processor
device-processor = Processor
device-gone = { $name } · not found
device-discrete = graphics card
device-integrated = part of the processor
device-virtual = virtual
device-software = software, slow
device-now = Painting on { $device } in { $precision }
prefs-keys-change = Change
prefs-keys-change-name = Change the keys of “{ $what }”
prefs-keys-press = Press keys
prefs-keys-press-name = Press the keys for “{ $what }”; Delete for none
prefs-keys-reset = Original keys of “{ $what }”
prefs-keys-reset-all = Original keys for all
prefs-keys-conflict = { $what } · same keys as “{ $other }”

## Log

log-title = Log
log-all = All
log-warnings = Warnings
log-errors = Errors
log-empty = Nothing was noted.
log-copy = Copy
log-copy-name = Copy what is listed
log-secs = { $secs } s
log-error = Error
log-warning = Warning
log-note = Note

## First start

welcome-title = Welcome to Fourstep
welcome-what = Fourstep paints while you type: every word, number and slider becomes a new picture at once, and nothing leaves this computer.
welcome-can = The small model in the program draws one to three of some 200 things (animals, food, plants, vehicles and so on) in colours, places and simple landscapes; it knows no people, no writing and nothing else.
welcome-more = Large models paint nearly anything: download one from the library, or drop a .safetensors file that you have on the window.
welcome-try = Try
welcome-surprise = Surprise me
welcome-library = Large models…
welcome-start = Start painting
