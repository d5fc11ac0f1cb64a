#   A wreck of conformance/wrecks, which `seatrial prove` gives the name of. Each
#   program has the fault of this name if it is one of its own, and is healthy if not.
target
    name = "wreck ${wreck}"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mdp/0.2 mmi/0.1 tsp/1.0"
    heartbeat = 100
    expiry = 1500
    start = 5000
broker
    command = "${bin}/wreck broker ${wreck} --endpoint ${endpoint} --heartbeat 100 --liveness 5 --expiry 1500"
titanic
    command = "${bin}/wreck titanic ${wreck} --endpoint ${endpoint} --mdp ${mdp} --heartbeat 100 --liveness 5 --retry 100 --timeout 10000 --workers 4 --reply-workers 2 --close-workers 2"
worker
    command = "WRECK=${wreck} ${bin}/wreck-worker --endpoint ${endpoint} --mdp ${mdp} --heartbeat 100 --liveness 5 echo"
    slow = "WRECK=${wreck} ${bin}/wreck-worker --endpoint ${endpoint} --mdp ${mdp} --heartbeat 100 --liveness 5 --delay 1200 echo"
client
    command = "WRECK=${wreck} ${bin}/wreck-client --endpoint ${endpoint} --mdp ${mdp} --timeout 1000 --retries 3 ${service} ${body}"
    prints = 1
titanic-client
    command = "WRECK=${wreck} ${bin}/wreck-ticlient --endpoint ${endpoint} --mdp ${mdp} --timeout 1000 --retries 3 --poll 100 --wait 3000 call ${service} ${body}"
    prints = 1
