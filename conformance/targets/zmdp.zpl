#   The Node broker of zmdp-suite (github.com/edgracilla/zmdp-suite), with zeromq 6 beside it
#   in node_modules:
#
#       seatrial run --target zmdp --define zmdp=PATH
target
    name = "zmdp"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1"
    heartbeat = 500
broker
    command = "node --input-type=module -e 'const { default: Broker } = await import (process.argv [1]); new Broker (process.argv [2], { heartbeatInterval: 500, heartbeatLiveness: 4, workerRequestTimeout: 60000 }).listen ()' ${zmdp}/lib/Broker.mjs ${endpoint}"
