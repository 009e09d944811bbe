/**
 * What the switch says, in 中文: its sentences are English wherever they are written (log, journal, API), and are translated here,
 * for the reader. `{}` is anything, `{#}` a number; `{1}` is what stood in the first place, translated itself, `{=1}` the same as it came: names, and
 * what persons wrote. A sentence that is not here is shown as it came.
 */
import { isChinese, wordOf } from "./words.js"

const sentences = [
  // Pieces: times, counts, shares.
  ["{#} second", "{1} 秒"],
  ["{#} seconds", "{1} 秒"],
  ["{#} minutes", "{1} 分钟"],
  ["{#} of 100", "{1}%"],
  ["no answer", "无应答"],
  ["{} (once)", "{1}（1 次）"],
  ["{} ({#} times)", "{1}（{2} 次）"],
  ["{#} ({})", "{1}（{2}）"],
  ["by an earlier day", "依据此前 1 天"],
  ["by {#} earlier days", "依据此前 {1} 天"],
  ["1 request had not ended", "尚有 1 笔请求未结束"],
  ["{#} requests had not ended", "尚有 {1} 笔请求未结束"],
  ["nothing was left open", "没有遗留未结束的请求"],

  // Alarms.
  ["{} (not so any more: over in half a minute, unless it comes back)", "{1}（已恢复：半分钟内不再出现即解除）"],
  ["new requests are refused on every link: {}; {}", "所有链路都拒绝新请求：{1}；{2}"],
  ["new requests are refused on every link: {}", "所有链路都拒绝新请求：{1}"],
  ["the journal's disk is nearly full (`journal.reserve`)", "日志库所在磁盘将满（`journal.reserve`）"],
  [
    "the journal lags behind, because its disk is too slow (`journal.unwrittenRefuse`)",
    "磁盘过慢，日志库落后（`journal.unwrittenRefuse`）"
  ],
  ["the journal's store does not answer", "日志库的存储没有应答"],
  ["the journal's store, PostgreSQL, does not answer", "日志库的存储 PostgreSQL 没有应答"],
  [
    "the journal takes {} and grows by {} a day; {} of it may be dropped (jinka journal archive); more is kept because {}",
    "日志库占 {1}，每天增长 {2}；其中 {3} 可以清除（jinka journal archive）；其余保留，因为{4}"
  ],
  [
    "the journal takes {} and grows by {} a day; {} of it may be dropped (jinka journal archive)",
    "日志库占 {1}，每天增长 {2}；其中 {3} 可以清除（jinka journal archive）"
  ],
  [
    "the journal takes {} and grows by {} a day; nothing of it may be dropped; more is kept because {}",
    "日志库占 {1}，每天增长 {2}；没有可以清除的部分；其余保留，因为{3}"
  ],
  [
    "the journal takes {} and grows by {} a day; nothing of it may be dropped",
    "日志库占 {1}，每天增长 {2}；没有可以清除的部分"
  ],
  ["{} ({} of that is free for new entries)", "{1}（其中 {2} 可供新记录使用）"],
  ["old days stay in the journal: {}", "日志库中的旧日期没有清除：{1}"],
  ["old days of the journal cannot be dropped: {}", "日志库的旧日期无法清除：{1}"],
  [
    "exchange {} for {} is {} since {}: end it (jinka pending list)",
    "交易 {1}（{=2}）自 {4} 起{3}：请了结（jinka pending list）"
  ],
  ["exchange {} has not ended", "交易 {1} 尚未结束"],
  [
    "the journal is too slow: it takes {} s for an entry and has been slow for {}, and {}; requests end without an answer for it",
    "日志库过慢：每条记录需 {1} 秒，已持续 {2}，{3}；请求因此得不到应答"
  ],
  [
    "the journal is too slow: it takes {} s for an entry, and {}; requests end without an answer for it",
    "日志库过慢：每条记录需 {1} 秒，{2}；请求因此得不到应答"
  ],
  ["{#} byte is not on disk yet", "尚有 {1} 字节未落盘"],
  ["{#} bytes are not on disk yet", "尚有 {1} 字节未落盘"],
  ["links with keys take no new requests: {}", "使用密钥的链路不接受新请求：{1}"],
  ["a device of the security module takes no calls: {}", "有加密设备不可用：{1}"],
  ["{}: whoever checks it refuses it then; {}", "{1}，届时核对证书的一方将拒绝；{2}"],
  ["{}: whoever checks it refuses it then", "{1}，届时核对证书的一方将拒绝"],
  ["our certificate {} has run out", "本方证书 {1} 已过期"],
  ["our certificate {} runs out within a day", "本方证书 {1} 一天内到期"],
  ["our certificate {} runs out in {#} day", "本方证书 {1} 将在 {2} 天后到期"],
  ["our certificate {} runs out in {#} days", "本方证书 {1} 将在 {2} 天后到期"],
  ["{#} message waits for a person{}: jinka pending list", "有 {1} 笔待人工处理{2}：jinka pending list"],
  ["{#} messages wait for a person{}: jinka pending list", "有 {1} 笔待人工处理{2}：jinka pending list"],
  [
    "{#} calls of the last five minutes at the operators' listener were refused, with a token of nobody or beyond their role: jinka audit says from where",
    "最近五分钟内，运维接口拒绝了 {1} 次调用（令牌无效或角色不足）：来源见 jinka audit"
  ],
  [
    "{#} message was given up because of a defect of the switch: see the log",
    "有 {1} 个报文因程序缺陷被放弃：请看日志"
  ],
  [
    "{#} messages were given up because of a defect of the switch: see the log",
    "有 {1} 个报文因程序缺陷被放弃：请看日志"
  ],
  ["it takes no requests: {}; last end: {}, {}", "不接受请求：{1}；上次断开：{2}，{3}"],
  ["it takes no requests: {}", "不接受请求：{1}"],
  [
    "half a link: the {} leg is up alone, the {} leg is {}; its last end: {}",
    "链路只通一半：仅 {1} 一侧已连接，{2} 一侧{3}；其上次断开：{4}"
  ],
  ["half a link: the {} leg is up alone, the {} leg is {}", "链路只通一半：仅 {1} 一侧已连接，{2} 一侧{3}"],
  [
    "the partner has signed off, and has not signed on again: requests from it and for it are refused",
    "对方已签退，尚未重新签到：来自和发往对方的请求都被拒绝"
  ],
  ["no request for {}; before, it has sent some", "已 {1} 没有请求；此前有过"],
  [
    "no request for {}; at this hour {} are the longest that is usual, {}",
    "已 {1} 没有请求；这个时段通常最长 {2}（{3}）"
  ],
  [
    "{#} of {#} requests of the last five minutes had no answer in time",
    "最近五分钟的 {2} 笔请求中，{1} 笔没有按时得到应答"
  ],
  [
    "{#} of {#} messages of the last five minutes were refused by us: {}",
    "最近五分钟的 {2} 个报文中，本方拒绝了 {1} 个：{3}"
  ],
  ["{}. Most often instead: {}", "{1}。其余最多的是：{2}"],
  ["{}; what is usual at this hour is not known yet", "{1}；这个时段的通常水平尚不清楚"],
  ["{}; at this hour {#} of 100 are, {}", "{1}；这个时段通常为 {2}%（{3}）"],
  [
    "{#} of {#} requests of the last 15 minutes were approved ({#} of 100)",
    "最近 15 分钟的 {2} 笔请求中，批准了 {1} 笔（{3}%）"
  ],
  ["{#} of {#} requests of the last 15 minutes were approved", "最近 15 分钟的 {2} 笔请求中，批准了 {1} 笔"],
  ["{#} message waits, the oldest for {}", "有 {1} 个报文待发，最早的已等待 {2}"],
  ["{#} messages wait, the oldest for {}", "有 {1} 个报文待发，最早的已等待 {2}"],
  ["{#} wrong or missing MAC in five minutes", "五分钟内有 {1} 个 MAC 错误或缺失"],
  ["{#} wrong or missing MACs in five minutes", "五分钟内有 {1} 个 MAC 错误或缺失"],
  ["{}: compare the time zones, `timeZone` in our configuration", "{1}：请核对时区（本方配置 `timeZone`）"],
  ["the partner's clock is {} s ahead of ours", "对方时钟比本方快 {1} 秒"],
  ["the partner's clock is {} s behind ours", "对方时钟比本方慢 {1} 秒"],
  ["the partner's clock agrees with ours", "对方时钟与本方一致"],
  ["{#} message spoke for another partner", "有 {1} 个报文冒用其他合作方"],
  ["{#} messages spoke for another partner", "有 {1} 个报文冒用其他合作方"],

  // Who ended a connection, how, and why.
  ["FIN", "正常关闭（FIN）"],
  ["RST", "复位（RST）"],
  ["no connection came about", "连接未建立"],
  ["the network gave up", "网络中断"],
  ["silence", "无数据"],
  ["echo not answered", "线路测试无应答"],
  ["frame error", "报文帧错误"],
  ["frame deadline", "报文帧超时"],
  ["unsent bytes", "对方不收数据"],
  ["bytes on the sending leg", "发送侧收到数据"],
  ["one leg alone", "只有一侧连接"],
  ["sign-on refused", "签到被拒"],
  ["no sign-on in time", "签到超时"],
  ["second connection", "第二个连接"],
  ["exchange over", "交易结束"],
  ["no answer in time", "应答超时"],
  ["idle", "空闲"],
  ["its group fell", "所在组断开"],
  ["command", "人工操作"],
  ["reload", "重载配置"],
  ["stop", "停机"],
  ["{} leg: {}", "{=1} 侧：{2}"],
  ["the partner closed the connection", "对方关闭了连接"],
  ["the partner did not take the whole message in time", "对方没有按时收完报文"],
  ["no answer came in time", "没有按时收到应答"],
  ["the exchange is over", "交易已结束"],
  ["the switch is stopping", "交换机正在停机"],
  ["a message could not be handled or answered", "有报文无法处理或应答"],
  ["nothing was received for {} ms, not even an answer to our echo", "{1} 毫秒内没有收到任何数据，线路测试也无应答"],
  ["nothing was received for {} ms", "{1} 毫秒内没有收到任何数据"],
  ["our echo was not answered in {} ms, though other bytes came", "线路测试在 {1} 毫秒内无应答，但有其他数据"],
  ["our echo was not answered well in {} ms: {}", "线路测试在 {1} 毫秒内没有正确应答：{2}"],
  [
    "requests in a row were not answered, nor was our echo in {} ms",
    "连续的请求没有应答，线路测试在 {1} 毫秒内也无应答"
  ],
  ["a frame was open for {} ms", "报文帧 {1} 毫秒没有收完"],
  ["the partner did not sign on within {} ms", "对方在 {1} 毫秒内没有签到"],
  ["cut by {}", "由 {=1} 切断"],
  ["drained by {}", "由 {=1} 排空"],
  ["unblocked", "已启用"],
  ["the configuration was reloaded by {}", "由 {=1} 重载配置"],
  ["nothing came for {} ms", "{1} 毫秒没有数据"],
  ["no whole message came within {} ms", "{1} 毫秒内没有收到完整报文"],

  // Acts on a link.
  ["There is no link {}. The links are: {}.", "没有链路 {=1}。现有链路：{=2}。"],
  ["There is no link {}.", "没有链路 {=1}。"],
  ["It was blocked already.", "该链路已经停用。"],
  [
    "New requests from and to it are refused, advices and reversals for it wait; its connection stays, and what was sent ends.",
    "拒绝来自和发往该链路的新请求，通知和冲正留待发送；连接保持，已发出的交易照常结束。"
  ],
  ["It was not blocked.", "该链路没有停用。"],
  ["It takes requests as soon as it is ready.", "就绪后即接受请求。"],
  ["It had no connection.", "该链路没有连接。"],
  ["Its connection is cut; it comes back by itself.", "连接已切断，将自行重连。"],
  ["It has a connection already.", "该链路已有连接。"],
  ["It is drained: `jinka link unblock` brings it back.", "该链路已排空：启用（`jinka link unblock`）后恢复。"],
  [
    "The partner connects to us on this link: there is nothing to dial. Is the partner's side up?",
    "这条链路由对方发起连接，本方无从拨出。对方一侧是否正常？"
  ],
  ["It connects now, without waiting for the pause to end.", "立即连接，不再等待间隔。"],
  ["An attempt is under way already.", "正在连接。"],
  ["It was drained already.", "该链路已经排空。"],
  ["It has no connection and makes none until it is unblocked; {}.", "连接已断开，启用之前不再连接；{1}。"],
  ["It was unblocked while it was being drained, and stays in use.", "排空期间被启用，继续使用。"],
  ["We were signed on already.", "本方已签到。"],
  ["The partner accepted our sign-on with {}.", "对方接受了签到，应答码 {1}。"],
  ["We were signed off already.", "本方已签退。"],
  [
    "The partner accepted our sign-off with {}. We stay signed off until sign-on.",
    "对方接受了签退，应答码 {1}。签到之前保持签退。"
  ],
  ["The partner answered our echo with {} after {} ms.", "对方应答了线路测试，应答码 {1}，用时 {2} 毫秒。"],
  ["It has no connection ({}).", "该链路没有连接（{1}）。"],
  ["Its dialect, {}, has no {}.", "其报文规范 {1} 没有此项：{2}。"],
  [
    "The partner did not answer our {} within {#} ms; its connection is still up.",
    "对方在 {2} 毫秒内没有应答：{1}；连接仍在。"
  ],
  [
    "The partner did not answer our {} within {#} ms: {}; its connection is still up.",
    "对方在 {2} 毫秒内没有应答：{1}（{3}）；连接仍在。"
  ],
  ["The connection ended before the partner answered our {}.", "对方应答之前连接已断开：{1}。"],
  ["The partner answered our {} with {}.", "对方对{1}的应答码为 {2}。"],
  ["The alarm {} is not silenced. `jinka alarm list` shows what is.", "告警 {=1} 没有静默。"],

  // Messages that wait, and what is in doubt.
  ["Exchange {#} is held back already.", "交易 {1} 已经暂停发送。"],
  ["Exchange {#} is not held back.", "交易 {1} 没有暂停发送。"],
  ["Exchange {#} is {}: it does not wait for its next attempt. {}", "交易 {1} {2}，不在等待重发。{3}"],
  ["Exchange {#} is {}: it does not wait for its next attempt.", "交易 {1} {2}，不在等待重发。"],
  ["Its answer is awaited.", "正在等待应答。"],
  ["It goes when its link is ready and what is before it has gone.", "链路就绪、且排在前面的发完后即发送。"],
  ["`jinka pending release` lets it go.", "恢复发送后才会发出。"],
  [
    "Exchange {#} cannot be sent once more: {}. Settle it with the partner and close it.",
    "交易 {1} 不能再次发送：{2}。请与对方核实后了结。"
  ],
  ["its link is gone", "其链路已不存在"],
  ["it is {}, and to send it again settles nothing", "其状态为{1}，再发送也不能解决"],
  ["The message of exchange {#} cannot be read any more.", "交易 {1} 的报文已无法读取。"],
  [
    "Another message about the same transaction has not ended: exchange {#} would overtake it.",
    "同一交易的另一个报文尚未结束：交易 {1} 会抢在它前面。"
  ],
  [
    "Exchange {#} is not being delivered. `jinka pending list` shows what is.",
    "交易 {1} 不在发送中：可能已被他人处理。"
  ],
  [
    "Exchange {#} is still being delivered: it ends by itself, or is in doubt then.",
    "交易 {1} 仍在发送：会自行结束，否则转为存疑。"
  ],
  ["Exchange {#} is not in doubt. `jinka pending list` shows what is.", "交易 {1} 不存疑：可能已被他人了结。"],

  // Business days.
  ["business day of {} is {}", "{=1} 的营业日为 {=2}"],
  ["business day of {} closes, and {} comes", "{=1} 的营业日正在日切，下一日为 {=2}"],
  ["{} is more than {#} days from today, {}: is it a slip?", "{1} 距今天（{3}）超过 {2} 天：是否写错？"],
  [
    "its partner has begun a cut-over to {}: give that date, or `jinka day correct`",
    "对方已开始日切至 {1}：请填该日期，或使用更正日期"
  ],
  ["{}; `jinka day correct` puts a wrong day right", "{1}；日期有误时请使用更正日期"],
  ["its date {} is before the business day {}", "其日期 {1} 早于营业日 {2}"],
  ["its date {} is more than {#} days after the business day {}", "其日期 {1} 比营业日 {3} 晚 {2} 天以上"],
  ["it has no date, and no cut-over has begun", "没有日期，也没有开始日切"],
  ["{} is before the business day {}", "{1} 早于营业日 {2}"],
  ["{} is more than {#} days after the business day {}", "{1} 比营业日 {3} 晚 {2} 天以上"],

  // The journal's entries.
  ["request {} from {} accepted, for {}", "接受来自 {=2} 的请求 {=1}，发往 {=3}"],
  ["request from {} accepted, for {}", "接受来自 {=1} 的请求，发往 {=2}"],
  ["message {} from {} refused with {}", "拒绝来自 {=2} 的报文 {=1}，应答码 {3}"],
  ["message from {} refused with {}", "拒绝来自 {=1} 的报文，应答码 {2}"],
  ["no answer in time: the outcome is unknown", "没有按时应答：结果不明"],
  ["the connection ended before the answer came: the outcome is unknown", "应答之前连接断开：结果不明"],
  ["found open at a start of the switch: the outcome is unknown", "启动时发现未结束：结果不明"],
  ["ended without an answer ({})", "结束时没有应答（{=1}）"],
  ["no byte left for {}; the origin was told {}", "没有任何字节发往 {=1}；已告知发起方 {2}"],
  ["reversal {} for {} written, to be sent until it is acknowledged", "已写入发往 {=2} 的冲正 {=1}，发送至获确认为止"],
  ["reversal for {} written, to be sent until it is acknowledged", "已写入发往 {=1} 的冲正，发送至获确认为止"],
  ["message {} accepted, to be sent to {} until it is acknowledged", "已接受报文 {=1}，发往 {=2} 至获确认为止"],
  ["{} acknowledged with {}", "{=1} 已确认，应答码 {2}"],
  [
    "given up after the last attempt ({}): in doubt until a person ends it",
    "最后一次发送后放弃（{=1}）：存疑，待人工了结"
  ],
  ["{} declined it with {}: in doubt until a person ends it", "{=1} 以 {2} 拒绝：存疑，待人工了结"],
  [
    "it moves money and there is no reversal for {}: in doubt until a person ends it",
    "涉及资金，且没有发往 {=1} 的冲正：存疑，待人工了结"
  ],
  ["still in doubt for {}", "对 {=1} 仍存疑"],
  ["ended by a person: {}", "人工了结：{=1}"],
  ["held back by a person: {}", "人工暂停发送：{=1}"],
  ["let go by a person: {}", "人工恢复发送：{=1}"],
  ["business day of {}: {}", "{=1} 的营业日：{=2}"],
  ["late answer {} from {}: kept, not delivered", "来自 {=2} 的迟到应答 {1}：留存，不转发"],
  [
    "answer from {} that belongs to no request ({}): kept, not delivered",
    "来自 {=1} 的应答没有对应请求（{=2}）：留存，不转发"
  ],
  ["second answer {} from {}: kept, not delivered", "来自 {=2} 的第二个应答 {1}：留存，不转发"],
  ["{} sent it again: not forwarded again", "{=1} 重发：不再转发"],
  ["{} has reversed it: a repeat is told that there is no answer", "{=1} 已冲正：重发时告知没有应答"],
  ["the answer could not be given to {}", "应答未能送达 {=1}"],
  ["attempt {} to {}", "第 {=1} 次发送至 {=2}"],
  ["{} answered {}", "{=1} 应答 {2}"],

  // Answers that found no request.
  [
    "It is the answer of exchange {#}, which {}, {#} ms after its request. {}",
    "这是交易 {1} 的应答，该交易{2}；距请求 {3} 毫秒。{4}"
  ],
  [
    "It is the answer of exchange {#}, which {}, {#} ms after its request.",
    "这是交易 {1} 的应答，该交易{2}；距请求 {3} 毫秒。"
  ],
  ["It is the answer of exchange {#}, which {}. {}", "这是交易 {1} 的应答，该交易{2}。{3}"],
  ["It is the answer of exchange {#}, which {}.", "这是交易 {1} 的应答，该交易{2}。"],
  ["had ended {#} ms before ({})", "已在 {1} 毫秒前结束（{2}）"],
  ["had ended", "已结束"],
  ["It has the key of exchange {#} and is not its answer: {}.", "其匹配域与交易 {1} 相同，但不是它的应答：{2}。"],
  ["{} is missing, a field of the key. {}", "缺少匹配域 {1}。{2}"],
  [
    "No request to {} shortly before it has a field of its key: it may be of an earlier day, or of another link.",
    "此前不久发往 {=1} 的请求没有相同的匹配域：可能属于更早的日期，或另一条链路。"
  ],
  ["The nearest request is exchange {#}: {}.", "最接近的请求是交易 {1}：{2}。"],
  ["all fields of the key are the same: its request was sent later", "匹配域全部相同：请求在其后发出"],
  ["was acknowledged: both sides are even.", "已获确认：双方一致。"],
  ["was declined: NOT even, a person has to settle it (jinka pending list).", "被拒绝：双方不一致，须人工处理。"],
  ["was given up: NOT even, a person has to settle it (jinka pending list).", "已放弃：双方不一致，须人工处理。"],
  ["was ended by a person, who says how it was settled.", "已由人工了结，并注明处理方式。"],
  ["is being delivered: even when it is acknowledged.", "正在发送：获确认后双方一致。"],
  [
    "{}, and there is no reversal: NOT even, a person has to settle it (jinka pending list).",
    "{1}，且没有冲正：双方不一致，须人工处理。"
  ],
  ["{}; it moves no money, so there is nothing to take back.", "{1}；不涉及资金，无需冲正。"],
  ["{}; its reversal, exchange {#}, {}", "{1}；其冲正（交易 {2}）{3}"],
  ["{} approved with {} when the request had ended", "请求结束之后 {=1} 以 {=2} 批准"],

  // Both sides of a message.
  [
    "give the configuration file: how a message left is made again by what it says of both links",
    "需要配置文件：发出的报文要按两条链路的配置重新生成"
  ],
  ["it cannot be made again from the covered copy", "无法由屏蔽后的副本重新生成"],
  ["the caller's own STAN is put back", "恢复发起方的流水号"],
  ["a reversal of the switch's own", "交换机自己的冲正"],
  ["the reversal has a STAN of its own", "冲正有自己的流水号"],
  ["when the reversal was made", "冲正生成的时间"],
  ["the switch sends it itself", "由交换机自行发送"],
  ["names the request that is taken back", "指明被冲正的请求"],
  ["our names in the header", "报文头中为本方标识"],
  ["a reversal does not carry it, or it may be kept nowhere", "冲正不带此域，或此域不得留存"],
  ["as the dialect's reversal rule says", "按报文规范的冲正规则"],
  ["link {} has STANs of its own (stan: own)", "链路 {=1} 使用自己的流水号（stan: own）"],
  ["the header names us and {}", "报文头中为本方与 {=1} 的标识"],
  ["{} has no such field", "{=1} 没有此域"],
  ["changed by the switch", "由交换机修改"],
  ["from {} into {}", "由 {=1} 转换为 {=2}"],
  ["link {} has no MACs", "链路 {=1} 不使用 MAC"],
  ["made again with the key of {}", "用 {=1} 的密钥重新计算"],
  ["translated into the key of {}, where there is one", "转换为用 {=1} 的密钥加密（如有）"],

  // Who asks.
  ["{} got is not as /openapi.json says: {}; where it has a reason, {}.", "输入有误：{=2}。"],
  ["{} got is not as /openapi.json says: {}.", "输入有误：{=2}。"],
  ["This is for the role {}; {} has {}.", "此操作需要角色 {=1}；{=2} 的角色是 {=3}。"],
  [
    "Too many calls: {#} a second are allowed, {#} of them about the journal. Ask again in a second.",
    "请求过多：每秒最多 {1} 次，其中日志库 {2} 次。请一秒后再试。"
  ]
]

const placePattern = /\\\{(#?)\\\}/g

const patternOf = (english) =>
  new RegExp(
    `^${english
      .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      .replace(placePattern, (_, number) => (number === "#" ? "([\\d.,]+)" : "(.*?)"))}$`,
    "s"
  )

const patterns = sentences.map(([english, chinese]) => [patternOf(english), chinese])

/** English names of fields, codes and types of transaction with their Chinese ones, as the dialects that ship have them. */
let names = {}

/** Takes the names. */
export const learn = (known) => {
  names = known
}

/** What stands in a place may be a sentence, the word of a state, or a name, and is shown as it is then. */
const inChinese = (text) => {
  for (const [pattern, chinese] of patterns) {
    const found = pattern.exec(text)
    if (found !== null)
      return chinese.replace(/\{(=?)(\d)\}/g, (_, raw, place) => {
        const part = found[Number(place)]
        return raw === "=" ? part : inChinese(part)
      })
  }
  return wordOf(text) ?? (Object.hasOwn(names, text) ? names[text] : text)
}

/** A sentence of the switch as the reader wants it. */
export const says = (text) => (isChinese() ? inChinese(text) : text)
