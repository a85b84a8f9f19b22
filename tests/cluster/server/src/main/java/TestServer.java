import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;

/** Serves the documents of a file on a port of 127.0.0.1 (0: a free one) until its input closes. */
public class TestServer {
  /** Answers when a write is in the file: what was acknowledged outlives a kill of the server. */
  static class Journaled extends H2Backend {
    Journaled(String file) {
      super(file);
    }

    @Override
    public Document handleMessage(MongoMessage message) {
      Document answer = super.handleMessage(message);
      commit();
      return answer;
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
