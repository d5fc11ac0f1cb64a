#   The guide's Java broker, Titanic and worker (github.com/booksbyus/zguide,
#   examples/Java), compiled, with JeroMQ:
#
#       seatrial run --target zguide-java --define classpath=CLASSES:JEROMQ
#
#   Heartbeats are fixed at 2.5 s.
target
    name = "the guide's Java pair and worker"
    endpoint = "tcp://127.0.0.1:5555"
    speaks = "mdp/0.1 mmi/0.1 tsp/1.0"
    heartbeat = 2500
    start = 20000
broker
    command = "java -cp ${classpath} guide.mdbroker"
titanic
    command = "java -cp ${classpath} guide.titanic"
worker
    command = "java -cp ${classpath} guide.mdworker"
