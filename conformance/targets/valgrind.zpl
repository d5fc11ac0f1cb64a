#   The reference pair and its tools, each process under valgrind; times are long enough
#   for that. ci/sanitize --valgrind runs it, and looks at what valgrind wrote.
target
    name = "the reference pair under valgrind"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mdp/0.2 mmi/0.1 tsp/1.0"
    heartbeat = 500
    expiry = 7500
    start = 30000
broker
    command = "valgrind -q --vgdb=no --leak-check=full --errors-for-leak-kinds=definite --log-file=${reports}/valgrind.broker.%p ${bin}/mdpbroker --endpoint ${endpoint} --heartbeat ${heartbeat} --liveness 5 --expiry 7500"
titanic
    command = "valgrind -q --vgdb=no --leak-check=full --errors-for-leak-kinds=definite --log-file=${reports}/valgrind.titanic.%p ${bin}/titanicd --endpoint ${endpoint} --mdp ${mdp} --heartbeat ${heartbeat} --liveness 5 --retry 500 --timeout 5500 --workers 4 --reply-workers 2 --close-workers 2"
worker
    command = "valgrind -q --vgdb=no --leak-check=full --errors-for-leak-kinds=definite --log-file=${reports}/valgrind.worker.%p ${bin}/mdpworker --endpoint ${endpoint} --mdp ${mdp} --heartbeat ${heartbeat} --liveness 5 echo"
    slow = "valgrind -q --vgdb=no --leak-check=full --errors-for-leak-kinds=definite --log-file=${reports}/valgrind.worker.%p ${bin}/mdpworker --endpoint ${endpoint} --mdp ${mdp} --heartbeat ${heartbeat} --liveness 5 --delay 3500 echo"
client
    command = "valgrind -q --vgdb=no --leak-check=full --errors-for-leak-kinds=definite --log-file=${reports}/valgrind.client.%p ${bin}/mdpclient --endpoint ${endpoint} --mdp ${mdp} --timeout 5000 --retries 3 ${service} ${body}"
    prints = 1
titanic-client
    command = "valgrind -q --vgdb=no --leak-check=full --errors-for-leak-kinds=definite --log-file=${reports}/valgrind.client.%p ${bin}/ticlient --endpoint ${endpoint} --mdp ${mdp} --timeout 5000 --retries 3 --poll 500 call ${service} ${body}"
    prints = 1
