import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.h2.H2Backend;

/** Serves the documents of a file on a port of 127.0.0.1 (0: a free one) until its input closes. */
public class TestServer {
  public static void main(String[] arguments) throws Exception {
    MongoServer server = new MongoServer(new H2Backend(arguments[0]));
    server.bind("127.0.0.1", Integer.parseInt(arguments[1]));
    System.out.println(server.getLocalAddress().getPort());
    while (System.in.read() >= 0) {}
    server.shutdown();
  }
}
