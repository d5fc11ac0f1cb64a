#   The Node worker and client of zeromq-mdp-nodejs (github.com/mahan/zeromq-mdp-nodejs),
#   MDP 0.1, with uuid, moment and zeromq in node_modules:
#
#       seatrial run --target zeromq-mdp-nodejs --define nodejs=PATH
target
    name = "zeromq-mdp-nodejs"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1"
    heartbeat = 500
worker
    command = "node -e 'const W = require (process.argv [1]); const w = new W (process.argv [2], `echo`, { verbose: 0, name: `w`, heartrate: 500, reconnect: 500 }); w.on (`request`, (q, r) => r.send (q.body)); w.start ()' ${nodejs}/lib/mdpWorker.js ${endpoint}"
client
    command = "node -e 'const C = require (process.argv [1]); const c = new C (process.argv [2], { name: `c` }); c.on (`response`, r => { console.log (r.body); c.stop (); process.exit (0) }); c.start (); c.send (process.argv [3], process.argv [4])' ${nodejs}/lib/mdpClient.js ${endpoint} ${service} ${body}"
    prints = 1
