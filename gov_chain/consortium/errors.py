"""What can be wrong with a consortium's layout or processes, in words an operator can act on."""

from __future__ import annotations

from gov_chain.core.errors import GovChainError, Message


class ConsortiumError(GovChainError):
    messages = {
        "consortium-missing": Message(
            404,
            "{place} 中没有联盟的布局文件。",
            "There is no consortium in {place}.",
            "请先运行 govchain consortium up，或用 --data 指明目录。",
            "Run `govchain consortium up` first, or name its directory with --data.",
        ),
        "consortium-unreadable": Message(
            409,
            "{place} 中的联盟布局文件无法读取。",
            "The consortium's plan in {place} cannot be read.",
            "请从备份恢复 consortium.json；不要删除节点目录。",
            "Restore consortium.json from a backup; do not delete the nodes' directories.",
        ),
        "consortium-running": Message(
            409,
            "这里的联盟已在运行（进程 {pid}）。",
            "The consortium here is running already (process {pid}).",
            "查看 govchain consortium status；停止用 govchain consortium down。",
            "See `govchain consortium status`; end it with `govchain consortium down`.",
        ),
        "consortium-stopped": Message(
            409,
            "这里的联盟没有运行。",
            "The consortium here is not running.",
            "请运行 govchain consortium up。",
            "Run `govchain consortium up`.",
        ),
        "node-unknown": Message(
            404,
            "没有名为 {name} 的节点；有：{known}。",
            "There is no node called {name}; there are {known}.",
            "请核对名称。",
            "Check the name.",
        ),
        "node-name-taken": Message(
            409,
            "节点名 {name} 已被使用。",
            "A node called {name} exists already.",
            "请换一个名称。",
            "Choose another name.",
        ),
        "validators-number": Message(
            400,
            "验证节点须为 {least} 至 {most} 个。",
            "A consortium here has {least} to {most} validators.",
            "请更改 --validators。少于四个时，一个出错就没有共识。",
            "Change --validators. With fewer than four, none may fail.",
        ),
        "nobody-vouches": Message(
            503,
            "没有两个节点对同一区块作证，无法由快照加入。",
            "No two nodes vouch for one block: a snapshot cannot be trusted.",
            "请先启动其他节点，再重试。",
            "Start the other nodes first, then try again.",
        ),
        "process-failed": Message(
            503,
            "节点 {node} 的 {process} 没有启动：{reason}",
            "The {process} of node {node} did not start: {reason}",
            "请查看 govchain consortium logs {node}。",
            "See `govchain consortium logs {node}`.",
        ),
        "adopt-running": Message(
            409,
            "要接管的账本正由另一进程写入。",
            "The ledger to adopt is being written by another process.",
            "请先停止该节点。",
            "Stop that node first.",
        ),
        "adopt-without-validators": Message(
            409,
            "要接管的账本还没有验证节点。",
            "The ledger to adopt names no validators yet.",
            "请先在该节点由各机关提案并表决 validators-found。",
            "Its agencies first have to found them: a `validators-found` proposal, voted on.",
        ),
        "backup-behind": Message(
            409,
            "备份的验证签名状态旧于本节点，恢复后会重复签名。",
            "The backup's signing state is older than this node's: restored, it would sign twice.",
            "不要恢复验证密钥；请以新密钥重新加入（govchain validator join）。",
            "Do not restore its validator key; join anew with a new one (`govchain validator join`).",
        ),
        "backup-unreadable": Message(
            400,
            "这不是节点备份，或已损坏：{reason}",
            "This is no backup of a node, or it is damaged: {reason}",
            "请使用另一份备份。",
            "Use another backup.",
        ),
    }
