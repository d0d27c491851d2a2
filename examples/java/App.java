package shop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** A small app that is started like a Spring Boot one and boots as slowly; only the JDK is needed. */
public final class App {
    private static final int GRACE_SECONDS = 20;
    private static final AtomicInteger inFlight = new AtomicInteger();

    public static void main(String[] arguments) throws Exception {
        String profile = profile(option(arguments, "spring.profiles.active", "default"));
        int port = Integer.parseInt(option(arguments, "server.port", "8080"));
        long boot = Long.parseLong(option(arguments, "boot.ms", "3000"));
        String version = App.class.getPackage().getImplementationVersion();
        String label = (version == null ? "unpackaged" : version) + " " + profile;
        System.out.println(label + " is starting");
        Thread.sleep(boot);

        System.setProperty("sun.net.httpserver.nodelay", "true"); // else 40 ms an answer, by delayed acknowledgements
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(Executors.newFixedThreadPool(32));
        server.createContext("/", exchange -> answer(exchange, (label + "\n").getBytes(StandardCharsets.UTF_8), true));
        server.createContext("/profile", exchange -> answer(exchange, profile.getBytes(StandardCharsets.UTF_8), false));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, label)));
        server.start();
        System.out.println(label + " listens on port " + port);
    }

    /**
     * SIGTERM: no new connections, what is in flight is answered, then the JVM ends, which it does when this returns.
     * HttpServer.stop closes the listener at once, but then waits all of its time when nothing is in flight.
     */
    private static void stop(HttpServer server, String label) {
        System.out.println(label + " is stopping");
        new Thread(() -> server.stop(GRACE_SECONDS)).start();
        long end = System.nanoTime() + GRACE_SECONDS * 1_000_000_000L;
        try {
            do {
                Thread.sleep(50);
            } while (inFlight.get() > 0 && System.nanoTime() < end);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void answer(HttpExchange exchange, byte[] first, boolean echo) throws IOException {
        inFlight.incrementAndGet();
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            byte[] rest = echo ? body : new byte[0];
            exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
            exchange.sendResponseHeaders(200, first.length + rest.length);
            exchange.getResponseBody().write(first);
            exchange.getResponseBody().write(rest);
        } finally {
            inFlight.decrementAndGet();
        }
    }

    /** The article's rule: the one of ours among the active profiles, else the first one. */
    private static String profile(String active) {
        String[] names = active.split(",");
        return Stream.of(names).filter(Set.of("real", "real1", "real2")::contains).findFirst().orElse(names[0]);
    }

    /** {@code --name=value}, else {@code -Dname=value}, else the default. */
    private static String option(String[] arguments, String name, String otherwise) {
        String prefix = "--" + name + "=";
        return Stream.of(arguments)
                .filter(argument -> argument.startsWith(prefix))
                .map(argument -> argument.substring(prefix.length()))
                .findFirst()
                .orElse(System.getProperty(name, otherwise));
    }

    private App() {}
}
