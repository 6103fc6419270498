import io.prometheus.client.Collector;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Gauge;
import io.prometheus.client.Summary;
import io.prometheus.client.exporter.BasicAuthHttpConnectionFactory;
import io.prometheus.client.exporter.PushGateway;
import java.io.IOException;
import java.net.URL;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Pushes as a program with the old Java client does, which Flink is one of: Simpleclient URL STEP [USER PASSWORD] */
public class Simpleclient {
    interface Send {
        void run() throws IOException;
    }

    public static void main(String[] args) throws Exception {
        PushGateway gateway = new PushGateway(new URL(args[0]));
        if (args.length > 3) {
            gateway.setConnectionFactory(new BasicAuthHttpConnectionFactory(args[2], args[3]));
        }
        Map<String, String> odd = new LinkedHashMap<>();
        odd.put("path", "x/y");
        odd.put("blank", "a b+c");
        odd.put("letters", "\u00e9");
        switch (args[1]) {
            case "push":
                report("push", () -> gateway.push(registry(), "java"));
                report("odd", () -> gateway.push(one("g", 1), "a/b", odd));
                report("instance", () -> gateway.push(one("g", 1), "java", PushGateway.instanceIPGroupingKey()));
                report("add", () -> gateway.pushAdd(one("first", 1), "added"));
                report("add", () -> gateway.pushAdd(one("second", 2), "added"));
                report("add", () -> gateway.pushAdd((Collector) gauge("second", 3), "added"));
                break;
            case "replace":
                report("push", () -> gateway.push(one("only", 1), "java"));
                report("refused", () -> gateway.push((Collector) Summary.build("only", "A summary.").create(), "clash"));
                break;
            case "delete":
                report("delete", () -> gateway.delete("java"));
                report("delete", () -> gateway.delete("a/b", odd));
                report("delete", () -> gateway.delete("unknown"));
                break;
            default:
                throw new IllegalArgumentException(args[1]);
        }
    }

    static void report(String what, Send send) {
        try {
            send.run();
            System.out.println(what + " ok");
        } catch (IOException refused) {
            Matcher code = Pattern.compile("[Rr]esponse code (from \\S+ was )?:? ?(\\d+)").matcher(String.valueOf(refused.getMessage()));
            System.out.println(what + " " + (code.find() ? code.group(2) : refused.getMessage()));
        }
    }

    /** No counters: from 0.10 on they bring their time of creation. */
    static CollectorRegistry registry() {
        CollectorRegistry registry = new CollectorRegistry();
        Gauge g = Gauge.build("g", "A \"gauge\".").labelNames("x").register(registry);
        g.labels("quote \" back \\ line \n").set(1e6);
        g.labels("").set(12345678.9);
        return registry;
    }

    static Gauge gauge(String name, double value) {
        Gauge gauge = Gauge.build(name, "A gauge.").create();
        gauge.set(value);
        return gauge;
    }

    static CollectorRegistry one(String name, double value) {
        CollectorRegistry registry = new CollectorRegistry();
        registry.register(gauge(name, value));
        return registry;
    }
}
