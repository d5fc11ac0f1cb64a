#   The broker of nodejs-mdp02 (github.com/mahan/nodejs-mdp02), MDP 0.2, with a
#   zeromq that Node finds from its folder:
#
#       seatrial run --target nodejs-mdp02 --define mdp02=PATH
target
    name = "nodejs-mdp02"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.2"
    heartbeat = 1000
    expiry = 5000
broker
    command = "node -e 'require (process.argv [1]) ({ bindings: [process.argv [2]], workerTimeout: 4000, clientTimeout: 5000, hbFrequence: 1000 }).start ()' ${mdp02}/src/Broker ${endpoint}"
