import java.net.CookieManager;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** Java's own client with its own CookieManager. Run as a source file: {@code java Clients.java ORIGIN}. */
final class Clients {
    private static final HttpClient CLIENT = HttpClient.newBuilder()
            .cookieHandler(new CookieManager())
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
    private static String origin;

    public static void main(String[] arguments) throws Exception {
        origin = arguments[0];
        for (int round = 0; round < 3; round++) {
            expect("sign in", 303, post("/login", "username=alice&password=alice-password").statusCode());
            expect("the message is shown", true, get("/").body().contains("Welcome, alice."));
            for (int number = 0; number < 5; number++) {
                HttpResponse<String> answer = get("/whoami");
                expect("who am I", 200, answer.statusCode());
                expect("who am I", true, answer.body().contains("\"user_id\":\"2\""));
            }
            expect("sign out", 303, post("/logout", "").statusCode());
            expect("afterwards", 401, get("/whoami").statusCode());
        }
        System.out.println("Java " + System.getProperty("java.version") + " with CookieManager");
    }

    private static HttpResponse<String> get(String path) throws Exception {
        return send(request(path).GET());
    }

    private static HttpResponse<String> post(String path, String form) throws Exception {
        return send(request(path)
                .header("content-type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(form)));
    }

    private static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(origin + path)).timeout(Duration.ofSeconds(20));
    }

    private static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static void expect(String what, Object expected, Object actual) {
        if (!expected.equals(actual)) {
            System.err.println("java: " + what + ": expected " + expected + ", got " + actual);
            System.exit(1);
        }
    }
}
