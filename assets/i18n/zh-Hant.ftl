# 視窗的所有文字。鍵與引數和 en.ftl 相同。

## 狀態

status-label = 狀態：{ $word }
status-starting = 啟動中
status-live = 即時
status-waiting = 等待中
status-loading = 載入中
status-painting = 繪製中 { $step }/{ $steps }
status-paused = 已暫停
status-failed = 失敗
status-starting-meaning = 繪圖引擎正在啟動
status-live-meaning = 每次變更都會自動繪製
status-waiting-meaning = 停止輸入後開始繪製；按 Enter 立即繪製
status-loading-meaning = 正在開啟模型
status-painting-meaning = 正在繪製圖片；按 Esc 停止
status-paused-meaning = 即時繪製已關閉；按 Enter 繪製
status-failed-meaning = 上一次繪製失敗，請看圖片下方的訊息

## 頂列

top-shortcuts = 鍵盤快速鍵
top-preferences = 偏好設定
top-rate = 張／秒
top-rate-meaning = 不停繪製時每秒完成的圖片數
top-first-preview = 首張預覽
top-first-preview-meaning = 從變更到第一張預覽出現的時間
top-last-run = 上次繪製
top-last-run-meaning = 從變更到圖片完成的時間
top-device = 裝置
top-device-meaning = 由 { $backend } 以 { $threads } 個執行緒運算
top-device-card = 由 { $device } 運算。按一下可選擇其他裝置

## 模型選單

menu-model = 模型 { $name }，{ $detail }
menu-choose = 選擇模型
menu-models = 模型
menu-all = 所有模型…
menu-all-tip = 本機已有與可下載的全部模型
menu-open-folder = 開啟模型資料夾…
menu-open-folder-tip = 使用任何 diffusers 格式的模型

## 狀態列

bar-painted = 繪製耗時 { $total } · 文字 { $text } · { $n } 步 { $steps } · 解碼 { $decode }
bar-painted-loaded = { $painted } · 開啟模型 { $time }
bar-copied = 圖片已複製到剪貼簿
bar-saved = 已儲存至 { $path }
bar-restored = 已還原 { $name } 的設定
bar-saving = 正在儲存錄製內容 { $percent } %
bar-opening = 正在開啟 { $what }
bar-opening-percent = 正在開啟 { $what } { $percent } %
bar-cancel-opening = 取消開啟模型
bar-show-downloads = 顯示下載項目
bar-show = 顯示
bar-download = { $name }：{ $progress }
bar-picture = { $width } × { $height } · { $sampler } · 種子 { $seed }
bar-no-glyph = 這台電腦沒有字型能顯示字元 { $code }，請安裝字型，例如 { $font }。

## 與要求不同之處

notice-size = 尺寸由 { $asked } 改為 { $used }：邊長須為 64 到 4096 像素之間的 8 的倍數
notice-steps = 步數由 { $asked } 改為 { $used }：{ $sampler } 可用 { $least } 到 { $most } 步
notice-guidance = 引導強度由 { $asked } 改為 { $used }：{ $why }
notice-guidance-few-step = 少步數取樣超過 2 會過曝（傳統取樣器如 ddim 可到 15）
notice-guidance-classic = 1 表示不引導
notice-guidance-embedded = 這是模型訓練時的範圍
notice-guidance-none = 此模型沒有引導強度
notice-mask = 遮罩與圖片不符，已不使用遮罩
notice-lora-in-stack = { $name } 已在 LoRA 清單中
notice-unknown-model = 這張圖片以 { $missing } 繪製，但本機沒有此模型：其他設定已套用到 { $used }

## 拖放或一起開啟的檔案

batch-nothing = { $name } 裡沒有可用來繪製的檔案
batch-folder = { $name } 的 { $models } 個模型與 { $loras } 個 LoRA 已加入模型庫
batch-model = 使用 { $name } 繪製
batch-lora = { $name } 已加入 LoRA 清單
batch-vae = 使用 { $name } 解碼
batch-library = { $name } 已加入模型庫
batch-more-failed = { $why }（另有 { $n } 個檔案也無法使用）
batch-lora-off = 目前為關閉：{ $why }
drop-title = 放開即可使用
drop-hint = 圖片會還原其設定；模型用來繪製；LoRA 加入清單。
drop-picture = 還原圖片中的設定
drop-weights = 模型用來繪製，LoRA 加入清單，VAE 用來解碼
drop-folder = 模型用來繪製，模型資料夾加入模型庫
drop-pickle = 不會開啟：這類檔案可能執行程式碼，請轉成 .safetensors
drop-other = 不是圖片、模型或 LoRA
drop-more = 還有 { $n } 個

## 失敗

error-dismiss = 關閉訊息
error-retry = 重試
error-log = 顯示記錄
error-engine-ended = 繪圖引擎已結束
error-engine-ended-remedy = 請重新啟動 Fourstep，設定會保留。
error-sentence = { $what }：{ $why }

## 數量與時間

words-secs-left = 剩 { $n } 秒
words-mins-left = 剩 { $n } 分
words-hours-left = 剩 { $hours } 小時 { $mins } 分
words-days-left = 剩一天以上
words-amount = { $done }／{ $total }
words-waiting = 等待中
words-checking = 檢查中
words-checking-alone = 檢查中
words-connection-lost = 連線中斷，正在重試
words-connecting = 連線中
words-trying-again = { $percent } · 正在重試
words-built-in = 程式內建
words-hub = Hugging Face，{ $repo }
words-hub-cache = Hugging Face 快取，{ $repo }
words-folder = 資料夾 { $name }
steps-count = { $n } 步

## 模型適合的設定

wants-label = 此模型適合的設定：{ $text }
wants-tip = { $name } 適合的設定。{ $detail }：{ $settings }，{ $size }
wants-no-guidance = 不用引導
wants-guidance = 引導強度 { $least }–{ $most }
wants-distilled = 1–4 步，不用引導
wants-embedded = 1–8 步，引導強度 { $least }–{ $most }，無負面提示詞
wants-few-step = 2–8 步，引導強度 1–2
wants-classic = 約 { $steps } 步，引導強度 { $guidance }，或搭配 LCM-LoRA
misfit-from-custom = 為特殊尺寸的模型製作；{ $model } 是 { $family }
misfit-to-custom = 為 { $made } 製作，不適用於 { $model }
misfit-family = 為 { $made } 製作；{ $model } 是 { $family }

## 一鍵 LCM-LoRA

few-paints = 以 { $n } 步繪製
few-with = 使用 LCM-LoRA
few-downloading = 正在下載 LCM-LoRA
few-steps-with = 使用 LCM-LoRA 只需 { $n } 步
few-steps-with-size = 使用 LCM-LoRA 只需 { $n } 步（{ $size }）
few-download = 下載 LCM-LoRA
few-off = 關閉 LCM-LoRA；取樣器、步數與引導強度恢復原狀
few-on = 使用 LCM-LoRA：權重 1、LCM 取樣器、4 步、引導強度 1.0
few-cancel = 取消
few-cancel-name = 取消下載 LCM-LoRA
few-retry = 重試
few-get = 下載
few-get-name = 下載 LCM-LoRA 並用它繪製

## 設定面板

panel-show = 展開{ $name }
panel-hide = 收合{ $name }
panel-slider-keys = ← →，按住 Shift 微調，按兩下重設
prompt-name = 提示詞
prompt-hint = 描述想要的圖片
prompt-tokens = { $used }/{ $window } 個詞元
prompt-tokens-over = { $used }/{ $window }，{ $over } 個不讀取
prompt-without = 顯示少了游標所指字詞的圖片
prompt-surprise = 給我一個意想不到的提示詞
prompt-unknown-word = { $model } 沒有「{ $word }」的詞元，會拆成片段讀取。
prompt-unknown-wildcard = 沒有名為 { $name } 的萬用字元清單：請將 { $name }.txt 放進設定資料夾的「wildcards」。
prompt-unknown-tag = <{ $name }:…> 這類標籤在此無效。
prompt-tag-weight = { $name } 的權重不是數字，改用 1。
prompt-unknown-lora = 沒有名為 { $name } 的 LoRA。
prompt-absent-lora = LoRA { $name } 尚未下載。
prompt-misfit-lora = LoRA { $name } 是為其他模型製作的。
prompt-negative-lora = LoRA { $name } 請寫在提示詞裡：寫在負面提示詞中無效。
styles-name = 風格
styles-none = 風格會保存這些提示詞供日後套用；{"{"}prompt{"}"} 代表原本的提示詞。
styles-apply = 套用風格 { $name }
styles-delete = 刪除風格 { $name }
styles-save = 儲存
styles-save-name = 將兩個提示詞存成風格
styles-hint = 新風格的名稱
styles-field = 風格名稱
blend-name = 混合提示詞
blend-none = 無
blend-explain = 拖曳即可將提示詞與最多三個其他提示詞混合。
blend-add = 新增提示詞
blend-prompt = 提示詞 { $letter }
blend-remove = 移除提示詞 { $letter }
blend-hint = 另一張圖片
blend-tip = 在提示詞之間拖曳
negative-name = 負面提示詞
negative-hint = blurry, text, watermark
negative-active = 想避免出現的內容。
negative-off-at-one = 強度 1.0 時無效
negative-off-at-one-why = 引導強度為 1.0 時無效：不會執行無條件運算。
negative-off = 無效
negative-embedded-why = 無效：此模型的引導強度已訓練在內，不會執行無條件運算。
negative-none-why = 無效：此模型沒有引導強度。
guidance-name = 引導強度
guidance-cfg = 引導強度 (CFG)
guidance-trained = 引導強度（訓練內建）
guidance-cost = { $value } · { $factor }× 運算量
guidance-none = 此模型沒有
guidance-tip = 圖片貼近提示詞的程度。超過 1.0 時每步要多運算一次。
guidance-trained-tip = 圖片貼近提示詞的程度，依此模型的訓練方式。
guidance-none-tip = 蒸餾模型不用引導強度：只由提示詞決定，負面提示詞無效。
steps-name = 步數
steps-tip = 去雜訊的步數
seed-name = 種子
seed-previous = 上一個種子
seed-next = 下一個種子
seed-random = 新的隨機種子
seed-keep = 再次繪製時保留種子
seed-kept = 再次繪製時會保留種子
size-name = 尺寸
size-square = 正方形 1:1
size-landscape = 橫式 4:3
size-portrait = 直式 3:4
size-wide = 寬螢幕 16:9
size-tall = 長直式 9:16
advanced-name = 進階
advanced-sampler = 取樣器
advanced-vae = VAE
advanced-own-vae = 模型內建
advanced-noise = 雜訊
advanced-torch-tip = PyTorch CPU 產生器的雜訊，與 diffusers 和 ComfyUI 相同
advanced-philox-tip = CUDA 產生器的雜訊，與 AUTOMATIC1111 相同
advanced-exact-size = 精確尺寸
advanced-exact-size-hint = 64 到 4096 像素之間的 8 的倍數。
advanced-width = 寬度（像素）
advanced-height = 高度（像素）

## LoRA 清單

loras-name = LoRA
loras-none = 無
loras-some-on = { $all } 個中開啟 { $on } 個
loras-empty = 尚無 LoRA。把 LoRA 檔案拖到視窗上，或從模型庫加入。
loras-add = 加入 LoRA…
loras-weight = { $name } 的 LoRA 權重
loras-weight-tip = 1 為訓練時的強度，0 沒有效果
loras-switch-off = 關閉 { $name }
loras-switch-on = 開啟 { $name }
loras-remove = 從清單移除 { $name }
loras-label = { $name }：{ $about }
loras-all-match = { $total } 個模組全部吻合
loras-some-match = { $total } 個模組中有 { $matched } 個吻合
loras-modules = { $n } 個模組
loras-made-for = 為 { $family } 製作
loras-change = { $total } 個模組中有 { $matched } 個影響模型
loras-ignored = 沒有作用：{ $names }
loras-ignored-more = 沒有作用：{ $names }，以及另外 { $n } 個
loras-move = 移動 { $name }
loras-move-tip = 拖曳到其他位置。順序不影響圖片。
loras-word-there = { $word } 已在提示詞中
loras-word-add = 把 { $word } 加入提示詞

## 畫面

stage-from-before = 先前的圖片
stage-without = 少了「{ $word }」
stage-picture = 圖片：{ $prompt }
stage-picture-before = 圖片：{ $prompt }（先前的）
stage-no-picture = 尚無圖片
stage-opening = 正在開啟 { $what }，{ $percent } %
stage-first-picture = 第一張圖片即將完成
stage-step = 第 { $step }/{ $steps } 步
stage-only = 只顯示圖片
stage-smooth = 平滑顯示圖片
stage-pixels = 顯示圖片的像素
stage-one-to-one = 圖片與螢幕像素一比一
record-begin = 錄製完成的圖片
record-end = 結束錄製並儲存 { $n } 張圖片
record-nothing = 錄製期間沒有畫出任何圖片
record-full = 錄製已滿：請結束錄製並儲存
stage-draft = 草圖 · { $steps }
stage-draft-name = { $decoder ->
    [tiny] 草圖：{ $steps }，{ $size }，以微型解碼器解碼，以維持偏好設定中的時間；停下後會完整繪製
   *[own] 草圖：{ $steps }，{ $size }，以維持偏好設定中的時間；停下後會完整繪製
}
stage-fit = 符合
stage-fit-name = 圖片符合視窗大小
stage-fit-keys = { $keys } 或按兩下
stage-pause = 暫停
stage-pause-name = 暫停即時繪製
stage-live = 即時
stage-live-name = 自動繪製每次變更
stage-paint = 繪製
stage-paint-name = 立即繪製
stage-stop = 停止
stage-stop-name = 停止繪製
stage-save = 儲存圖片
stage-copy = 複製圖片
stage-open = 開啟已儲存的圖片及其設定
stage-redo = 重做設定
stage-undo = 復原設定

## 畫面的檢視

tab-list = 檢視
tab-picture = 圖片
tab-picture-name = 即時圖片
tab-twin = 對照
tab-twin-name = 與多步數的同一張圖比較
tab-grid = 網格
tab-grid-name = 以列與欄排列的圖片
tab-canvas = 畫布
tab-canvas-name = 畫草圖，即時生成圖片
tab-gallery = 圖庫
tab-gallery-name = 已儲存的圖片
twin-live = 即時圖片
twin-slow = 多步數圖片
twin-only-few-steps = { $name } 只會用少步數繪製，沒有可以比較的對象。
twin-is-slow = 這張圖片本身就是以多步數繪製的。
twin-no-picture = 即時圖片完成後就會繪製。
twin-waiting = 閒置時就會繪製。
twin-guidance = 引導強度 { $scale }
twin-sides = 並排
twin-sides-name = 兩張圖片並排
twin-wipe = 滑動對比
twin-wipe-name = 以分隔線對比兩張圖片
twin-onion = 疊圖
twin-onion-name = 將多步數圖片疊在即時圖片上
twin-difference = 差異
twin-difference-name = 兩張圖片的差異之處
twin-divider = 分隔線
twin-cover = 多步數圖片的不透明度
twin-equal = 相同
twin-apart = 差異大
twin-mean = 平均 { $percent } %
twin-save = 儲存兩張
twin-save-name = 將兩張圖片儲存為一張附標示的對照圖
twin-step = { $side }：第 { $step } 步，共 { $steps } 步
twin-step-tip = 再按一次回到完成的圖片
grid-own = 網格
grid-own-name = 改變你選擇的兩項設定
grid-neighbours = 鄰近
grid-neighbours-name = 目前圖片周圍的變化，閒置時繪製
grid-columns = 由左至右
grid-rows = 由上至下
grid-values = { $axis }：數值
grid-around = 由左至右為種子，由上至下為
grid-nothing = 無
grid-words = 提示詞替換
grid-seed = 種子
grid-steps = 步數
grid-guidance = 引導強度
grid-sampler = 取樣器
grid-model = 模型
grid-lora = LoRA { $name }
grid-nothing-hint = 只有一列或一欄
grid-words-hint = 在提示詞中尋找第一個詞，再依序替換：apple, pear, plum
grid-whole-hint = 清單或範圍：1-8、1, 2, 4 或 1-9 (+2)
grid-number-hint = 清單或範圍：1, 1.5, 2、1.0-2.0 (+0.25) 或 0-1 [5]
grid-list-hint = 以逗號分隔的名稱
grid-empty = 請至少輸入一個數值。
grid-not-a-number = 「{ $what }」不是數字，也不是 1-8 或 1.0-2.0 (+0.25) 這樣的範圍。
grid-not-whole = { $what } 不是整數。
grid-no-way = 「{ $what }」的間隔無法到達終點。
grid-too-many = 每個方向最多 12 個數值。
grid-unknown-sampler = 沒有名為「{ $what }」的取樣器。
grid-unknown-model = 這台電腦上沒有名為「{ $what }」的模型。
grid-not-in-prompt = 提示詞中沒有「{ $what }」；第一個值是要被替換的詞。
grid-weight = LoRA 權重須在 -2 到 2 之間，不能是 { $what }。
grid-paint = 繪製網格
grid-stop = 停止網格
grid-resume = 繼續網格
grid-save = 儲存附標示的網格，並將時間存成表格
grid-progress = { $done } / { $total }
grid-size = { $columns } × { $rows } 張圖片，閒置時繪製
grid-none = 選擇由左至右與由上至下要改變的設定，再繪製網格。
grid-none-around = 圖片完成後就會繪製鄰近的變化。
grid-cell = { $name }：{ $state }
grid-cell-tip = 按一下套用其設定
grid-waiting = 尚未繪製
grid-painting = 繪製中

## 畫布

canvas-page = 可繪製的頁面
canvas-painted = 生成的圖片
canvas-brush = 筆刷
canvas-eraser = 橡皮擦
canvas-fill = 填滿同色區域
canvas-eyedropper = 從頁面吸取顏色
canvas-line = 直線
canvas-rectangle = 矩形
canvas-ellipse = 橢圓
canvas-undo = 復原筆畫
canvas-redo = 重做筆畫
canvas-colors = 顏色
canvas-color = 顏色
canvas-other-color = 備用顏色
canvas-swap-colors = 交換兩種顏色
canvas-size = 大小
canvas-size-tip = 筆刷寬度，可用 [ 和 ] 調整
canvas-hardness = 硬度
canvas-opacity = 不透明度
canvas-tolerance = 容許度
canvas-filled = 填滿
canvas-filled-name = 矩形和橢圓連同內部一起畫
canvas-layer = 繪製於
canvas-sketch = 草圖
canvas-sketch-name = 在草圖上繪製
canvas-mask = 遮罩
canvas-mask-name = 塗出要重繪的區域，其餘保持不變
canvas-strength = 重繪強度
canvas-strength-tip = 頁面被重繪的程度
canvas-grow = 擴張
canvas-grow-tip = 遮罩周圍也一併重繪的範圍
canvas-feather = 羽化
canvas-feather-tip = 與其餘部分漸變銜接的像素數
canvas-keep = 保留結果
canvas-keep-name = 保留生成的圖片並繼續在上面繪製
canvas-page-menu = 新頁面、開啟、清除、擴大
canvas-new = 新的白色頁面
canvas-new-colored = 以目前顏色建立新頁面
canvas-open = 開啟圖片並在上面繪製…
canvas-paste = 貼上圖片並擺放
canvas-placing = 拖曳移動，用控制點縮放和旋轉
canvas-place = 放置
canvas-discard = 捨棄
canvas-over-shown = 在目前的圖片上繪製
canvas-clear-sketch = 清除草圖
canvas-clear-mask = 清除遮罩
canvas-invert-mask = 反轉遮罩
canvas-enlarge-by = 擴大頁面（像素）
canvas-left = 左
canvas-left-name = 左側增加的像素
canvas-top = 上
canvas-top-name = 上方增加的像素
canvas-right = 右
canvas-right-name = 右側增加的像素
canvas-bottom = 下
canvas-bottom-name = 下方增加的像素
canvas-enlarge = 擴大
canvas-enlarge-name = 擴大頁面並繪製新增的部分
canvas-imported = 已將 { $name } 放到畫布上
canvas-drop = 放到畫布上重繪

## 放大

upscale-name = 將圖片放大兩倍重繪
upscale-progress = 放大中：第 { $tile } / { $tiles } 塊
upscale-left = 放大中：第 { $tile } / { $tiles } 塊，{ $time }
upscale-cancel = 取消
upscale-cancel-name = 取消放大

## 模型庫

browser-models = 模型
browser-loras = LoRA
browser-vaes = VAE
browser-decoders = 預覽解碼器
browser-close = 關閉
browser-open-folder = 開啟資料夾…
browser-open-file = 開啟檔案…
browser-refresh = 重新掃描資料夾
browser-search = 搜尋
browser-search-hint = 依名稱搜尋
browser-all = 全部
browser-all-name = 本機已有與可下載
browser-here = 已安裝
browser-here-name = 在這台電腦上
browser-hub = 可下載
browser-hub-name = 可以下載的項目
browser-only-family = 只顯示 { $family }
browser-looking = 正在掃描你的資料夾
browser-looking-now = 找到的項目會陸續列出。
browser-not-called = 沒有名為「{ $query }」的{ $kind }
browser-not-called-now = 請清除搜尋，或選擇「全部」。
browser-none-here = 還沒有{ $kind }
browser-none-hub = 沒有可下載的{ $kind }
browser-none-here-family = 還沒有適用於 { $family } 的{ $kind }
browser-none-hub-family = 沒有適用於 { $family } 的可下載{ $kind }
browser-none-now = 把 .safetensors 檔案拖到視窗上，或開啟你已在使用的資料夾。
browser-counts = 列出 { $listed } 項 · 已安裝 { $here } 項
browser-counts-looking = 列出 { $listed } 項 · 已安裝 { $here } 項 · 正在掃描資料夾
browser-keys = ↑ ↓ 選擇 · Enter 使用或下載 · Esc 關閉
row-partly-here = 已有 { $amount }
row-add = 加入
row-add-name = 加入 { $name }
row-use = 使用
row-use-name = 使用 { $name }
row-resume = 繼續
row-resume-name = 繼續下載 { $name }
row-download = 下載
row-download-name = 下載 { $name }
row-cancel = 取消
row-cancel-name = 取消下載 { $name }
row-retry = 重試
row-retry-name = 重新下載 { $name }
row-progress = 下載 { $name }
row-unusable = 無法使用
row-in-use = 使用中
row-in-stack = 已在清單中
row-decodes = 用於解碼預覽

## 對話框

path-name = 路徑
path-cancel = 取消
path-picture = 開啟圖片
path-picture-hint = 例如 /home/me/Pictures/apple.png
path-picture-why = 這個桌面環境沒有檔案對話框。請輸入 Fourstep 儲存的 PNG 路徑，或把它拖到視窗上。
path-import = 在圖片上繪製
path-import-hint = 例如 /home/me/Pictures/photo.jpg
path-import-why = 此桌面環境沒有檔案對話框。請輸入 PNG、JPEG 或 WebP 檔案的路徑，或將檔案拖放到畫布上。
path-model = 開啟模型、LoRA 或 VAE
path-model-button = 開啟
path-model-hint = 例如 /home/me/models/dreamshaper_8.safetensors
path-model-why = 這個桌面環境沒有檔案對話框。請輸入 .safetensors 檔案、模型資料夾，或 ComfyUI、AUTOMATIC1111 資料夾的路徑；也可以拖到視窗上。
dialog-recording = 儲存錄製內容
dialog-pictures = 圖片
dialog-save = 儲存圖片
dialog-open = 開啟圖片
dialog-import = 開啟要在上面繪製的圖片
dialog-model-folder = 開啟模型資料夾
dialog-model-file = 開啟模型、LoRA 或 VAE

## 說明

help-title = 鍵盤快速鍵
help-close = 關閉
help-painting = 繪製
help-paint = 立即繪製；再按一次換種子
help-new-line = 在提示詞中換行
help-weight = 增減字詞的權重；按住 Shift 微調
help-without = 游標停在字詞上：顯示少了它的圖片
help-pause = 暫停或恢復即時繪製
help-stop = 停止繪製
help-settings = 設定
help-steps = 步數
help-steps-1 = 1 步
help-steps-2 = 2 步
help-steps-3 = 3 步
help-steps-4 = 4 步
help-steps-5 = 5 步
help-steps-6 = 6 步
help-steps-7 = 7 步
help-steps-8 = 8 步
help-seed = 新的隨機種子
help-seeds = 上一個與下一個種子
help-keep-seed = 保留種子
help-models = 所有模型、LoRA 與 VAE
help-undo = 復原與重做設定
help-picture = 圖片
help-save = 儲存圖片
help-copy = 複製圖片
help-open = 開啟圖片及其設定
help-open-folder = 開啟模型資料夾
help-timeline = 較舊與較新的圖片
help-older = 較舊的圖片
help-newer = 較新的圖片
help-star = 為圖片加星號
help-go-on = 套用圖片的設定
help-view = 檢視
help-tabs = 下一個檢視：對照、網格、畫布…
help-stage-only = 只顯示圖片
help-zoom = 符合視窗或一比一
help-pixels = 平滑或像素
help-letters = 放大與縮小文字
help-larger = 放大文字
help-smaller = 縮小文字
help-preferences = 偏好設定
help-log = 顯示記錄
help-welcome = 首頁說明
help-canvas = 畫布
help-tools = 筆刷、橡皮擦、填色、滴管
help-forms = 直線、矩形、橢圓
help-brush-size = 縮小與放大筆刷
help-help = 這份快速鍵清單

## 跟隨畫面上這張圖片的過程

bond-fork = 保留前幾步
bond-fork-meaning = 這張圖片的前幾步保持不變，之後的更動只影響其餘步驟。
bond-composition = 鎖定構圖
bond-composition-meaning = 在這些步數內保持構圖與明暗；提示詞、LoRA 與引導強度只改變其餘部分。
bond-on = { $name }：{ $n } 步
bond-first = 前 { $n } 步
bond-steps = 步數
bond-off = 解除

## 時間軸

timeline-title = 時間軸
timeline-fold = 收合時間軸
timeline-unfold = 展開時間軸
timeline-scrub = 瀏覽至今畫過的圖片
timeline-empty = 繪製的每張圖片都會保留在這裡，隨時可以回頭
timeline-count = { $n } 張圖片
timeline-place = 第 { $at } 張，共 { $n } 張 · { $ago }
timeline-frame = 圖片 { $at }，{ $ago }
timeline-frame-starred = 圖片 { $at }，{ $ago }，已加星號
timeline-star = 加上星號：永不移除
timeline-unstar = 取消星號
timeline-branch = 從這張圖片繼續：套用它的設定
timeline-branched = 從先前的圖片繼續；按 Ctrl+Z 可復原
timeline-live = 回到最新的圖片
timeline-size = 時間軸佔用的磁碟空間
timeline-keep = 最多保留 { $size }
timeline-badge = 來自時間軸 · { $ago }

ago-now = 剛剛
ago-minutes = { $n } 分鐘前
ago-hours = { $n } 小時前
ago-days = { $n } 天前

## 已儲存圖片的圖庫

gallery-search = 搜尋已儲存的圖片
gallery-search-hint = 搜尋提示詞與檔名
gallery-only-starred = 只顯示加星號的圖片
gallery-look-again = 重新掃描資料夾
gallery-age = 儲存時間
gallery-any-time = 不限時間
gallery-day = 最近 24 小時
gallery-week = 最近 7 天
gallery-month = 最近 30 天
gallery-year = 最近 365 天
gallery-model = 模型
gallery-all-models = 所有模型
gallery-count = 已儲存圖片 { $n } / { $total } 張
gallery-waiting = 還有 { $n } 張待掃描
gallery-nothing-found = 沒有符合的圖片，請減少搜尋字詞。
gallery-empty = 尚未儲存任何圖片。按 Ctrl+S 儲存畫面上的圖片。
gallery-picture = 已儲存的圖片：{ $name }
gallery-picture-starred = 加星號的已儲存圖片：{ $name }
gallery-back = 圖庫
gallery-back-tip = 回到所有圖片
gallery-previous = 上一張圖片
gallery-next = 下一張圖片
gallery-use = 套用設定
gallery-use-tip = 套用這張圖片的設定
gallery-delete = 移到垃圾桶
gallery-deleted = { $name } 即將移到垃圾桶
gallery-undelete = 保留
gallery-reveal = 在資料夾中顯示
gallery-copy-path = 複製路徑
gallery-path-copied = 已將路徑複製到剪貼簿
gallery-unreadable = 無法再讀取這個檔案

## 未能還原的圖片設定

restored-title = 已還原 { $name } 的設定，但以下項目除外：
restored-dismiss = 關閉清單
restored-model = 找不到模型 { $name }；保留目前的模型
restored-model-to-download = 模型 { $name } 尚未下載；可在模型清單中下載
restored-lora = 找不到 LoRA { $name }
restored-lora-to-download = LoRA { $name } 尚未下載；可在 LoRA 清單中下載
restored-other-lora = LoRA { $name } 與繪製此圖時所用的檔案不同
restored-vae = 找不到 VAE { $name }
restored-sampler = 不支援取樣器 { $name }；改用 { $used }
restored-schedule = 不支援排程 { $name }；使用取樣器預設的排程
restored-steps = 步數 { $wanted } 已改為 { $used }
restored-size = 無法繪製尺寸 { $name }
restored-number = { $key } { $value } 不適用
restored-init = 檔案中沒有起始圖片
restored-setting = 不支援 { $key }

## 偏好設定

prefs-title = 偏好設定
prefs-general = 一般
prefs-keys = 快速鍵
prefs-language = 語言
prefs-system = 依系統設定
prefs-theme = 主題
prefs-dark = 深色
prefs-light = 淺色
prefs-letters = 文字大小
prefs-letters-tip = 文字與控制項一起縮放
prefs-jpeg = JPEG 檔案的品質
prefs-jpeg-tip = 用於存成 .jpg 的圖片；PNG 與 WebP 保留每個像素
prefs-latency = 變更後多久內看到圖片
prefs-latency-off = 關閉
prefs-latency-ms = { $n } 毫秒
prefs-latency-why = 變動中會以微型解碼器、較少步數或較小尺寸維持這個時間，並標示為草圖；停下後再依設定完整繪製。
prefs-percent = { $n } %
prefs-computing = 運算
prefs-device = 裝置
prefs-device-why = 換了裝置會立刻改由新裝置重畫這張圖片。顯示卡故障或記憶體不足時，由處理器接手。
prefs-previews = 預覽的解碼
prefs-previews-auto = 自動
prefs-previews-window = 視窗的顯示卡
prefs-previews-processor = 處理器
prefs-previews-why = 由繪製視窗的顯示卡就地解碼預覽，分段進行，畫面不卡頓。自動：只用實體顯示卡。
device-auto = 自動：最好的顯示卡，沒有則用處理器
device-processor = 處理器
device-gone = { $name } · 找不到
device-discrete = 獨立顯示卡
device-integrated = 內建顯示
device-virtual = 虛擬
device-software = 軟體模擬，較慢
device-now = 目前由 { $device } 以 { $precision } 繪製
prefs-keys-change = 變更
prefs-keys-change-name = 變更「{ $what }」的按鍵
prefs-keys-press = 請按鍵
prefs-keys-press-name = 請按「{ $what }」的新按鍵；按 Delete 表示不用按鍵
prefs-keys-reset = 恢復「{ $what }」的預設按鍵
prefs-keys-reset-all = 全部恢復預設
prefs-keys-conflict = { $what } · 與「{ $other }」按鍵相同

## 記錄

log-title = 記錄
log-all = 全部
log-warnings = 警告
log-errors = 錯誤
log-empty = 沒有任何記錄。
log-copy = 複製
log-copy-name = 複製列出的記錄
log-secs = { $secs } 秒
log-error = 錯誤
log-warning = 警告
log-note = 訊息

## 首次啟動

welcome-title = 歡迎使用 Fourstep
welcome-what = Fourstep 邊打字邊繪製：每個字、每個數值、每次拖曳都立刻變成新圖片，而且資料不會離開這台電腦。
welcome-can = 內建的小模型能畫約兩百種東西（動物、食物、植物、交通工具等），一到三個，可指定顏色、位置與簡單的背景；它不認識人物、文字或其他東西，提示詞請用英文。
welcome-more = 大型模型幾乎什麼都能畫：從模型庫下載，或把你的 .safetensors 檔案拖到視窗上。
welcome-try = 試試看
welcome-surprise = 給我驚喜
welcome-library = 大型模型…
welcome-start = 開始繪製
