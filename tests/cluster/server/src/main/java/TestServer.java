import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.backend.aggregation.stage.AddFieldsStage;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.List;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Stream;

/** Serves the documents of a file on a port of 127.0.0.1 (0: a free one) until its input closes. */
public class TestServer {
  /** Answers when a write is in the file: what was acknowledged outlives a kill of the server. */
  static class Journaled extends H2Backend {
    private final ReadWriteLock lock = new ReentrantReadWriteLock();

    Journaled(String file) {
      super(file);
    }

    @Override
    public Document handleMessage(MongoMessage message) {
      Document command = message.getDocument();
      List<Document> computed = computed(command);
      Lock held = computed.isEmpty() ? lock.readLock() : lock.writeLock();
      held.lock();
      try {
        for (Document update : computed) {
          compute(message, update);
        }
        Document answer = super.handleMessage(message);
        commit();
        return answer;
      } finally {
        held.unlock();
      }
    }

    /** Finds updates that are pipelines, which jobflow-remote sends and the library does not know. */
    private static List<Document> computed(Document command) {
      if (command.get("update") instanceof List && command.containsKey("findAndModify")) {
        return List.of(command);
      }
      if (command.get("updates") instanceof List<?> updates) {
        return updates.stream().map(Document.class::cast)
            .filter(one -> one.get("u") instanceof List).toList();
      }
      return List.of();
    }

    /** Makes a pipeline of $set a plain update of the one document that it finds. */
    private void compute(MongoMessage message, Document update) {
      Document command = message.getDocument();
      boolean finds = command.containsKey("findAndModify");
      String query = finds ? "query" : "q";
      String changes = finds ? "update" : "u";
      Document question =
          new Document("find", command.get(finds ? "findAndModify" : "update"))
              .append("filter", update.getOrDefault(query, new Document()))
              .append("limit", 1)
              .append("$db", command.get("$db"));
      question.putIfNotNull("sort", update.get("sort"));
      Document found = super.handleMessage(
          new MongoMessage(message.getChannel(), message.getHeader(), question));
      // where nothing is found, nothing is changed, whatever the update says
      Document set = new Document("_", 0);
      for (Object each : (List<?>) ((Document) found.get("cursor")).get("firstBatch")) {
        set = new Document();
        Document before = (Document) each;
        Document after = before;
        for (Object stage : (List<?>) update.get(changes)) {
          Document fields = (Document) ((Document) stage).get("$set");
          if (fields == null || update.get("multi") == Boolean.TRUE) {
            throw new UnsupportedOperationException("not a pipeline of $set for one document");
          }
          after = new AddFieldsStage(fields).apply(Stream.of(after)).findFirst().get();
          for (String name : fields.keySet()) {
            Object value = Utils.getSubdocumentValue(after, name);
            if (!(value instanceof Missing)) {
              set.put(name, value);
            }
          }
        }
        update.put(query, new Document("_id", before.get("_id")));
        update.remove("sort");
      }
      update.put(changes, new Document("$set", set));
    }
  }

  public static void main(String[] arguments) throws Exception {
    MongoServer server = new MongoServer(new Journaled(arguments[0]));
    server.bind("127.0.0.1", Integer.parseInt(arguments[1]));
    System.out.println(server.getLocalAddress().getPort());
    while (System.in.read() >= 0) {}
    server.shutdown();
  }
}
