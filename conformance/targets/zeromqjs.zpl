#   The TypeScript broker and worker of zeromq.js (github.com/zeromq/zeromq.js,
#   examples/majordomo), with zeromq 6 and tsx in node_modules beside them:
#
#       seatrial run --target zeromqjs --define zeromqjs=FOLDER
#
#   It says that it has no heartbeats.
target
    name = "zeromq.js"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1"
    heartbeat = 1000
broker
    command = "node --import ${zeromqjs}/node_modules/tsx/dist/loader.mjs --input-type=module -e 'const m = await import (process.argv [1]); new m.default.Broker (process.argv [2]).start ()' ${zeromqjs}/broker.ts ${endpoint}"
worker
    command = "node --import ${zeromqjs}/node_modules/tsx/dist/loader.mjs --input-type=module -e 'const m = await import (process.argv [1]); const w = new m.default.Worker (process.argv [2]); w.service = `echo`; w.start ()' ${zeromqjs}/worker.ts ${endpoint}"
