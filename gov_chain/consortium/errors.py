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
        "consortium-exists": Message(
            409,
            "{place} 中已有一个联盟。",
            "There is a consortium in {place} already.",
            "请用 --data 指定另一个空目录。",
            "Name another, empty directory with --data.",
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
        "backup-exists": Message(
            409, "文件 {file} 已存在。", "{file} exists already.", "请换一个文件名。", "Choose another name."
        ),
        "backup-foreign": Message(
            409,
            "这份备份属于另一个联盟的账本。",
            "The backup is of another consortium's ledger.",
            "请核对备份与目录。",
            "Check which backup belongs here.",
        ),
        "restore-over-node": Message(
            409,
            "{place} 中还有一个节点。旧的验证节点不能与新的并存。",
            "There is a node in {place} still. An old validator must not live beside a new one.",
            "请先停止该节点并移走其目录，然后重试。",
            "Stop that node and move its directory away, then try again.",
        ),
        "backup-unreadable": Message(
            400,
            "这不是节点备份，或已损坏：{reason}",
            "This is no backup of a node, or it is damaged: {reason}",
            "请使用另一份备份。",
            "Use another backup.",
        ),
    }
