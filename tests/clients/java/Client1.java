import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.core.metrics.Summary;
import io.prometheus.metrics.exporter.pushgateway.Format;
import io.prometheus.metrics.exporter.pushgateway.PushGateway;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Pushes as a program with the Java client 1.x does: Client1 ADDRESS STEP [USER PASSWORD] */
public class Client1 {
    interface Send {
        void run() throws IOException;
    }

    static String[] args;

    public static void main(String[] given) {
        args = given;
        switch (args[1]) {
            case "push":
                report("protobuf", gateway("java1", registry()).build()::push);
                report("text", gateway("java1", registry()).groupingKey("format", "text").format(Format.PROMETHEUS_TEXT).build()::push);
                report("odd", odd().build()::push);
                report("add", gateway("added", one("first", 1)).build()::pushAdd);
                report("add", gateway("added", one("second", 2)).build()::pushAdd);
                report("add", gateway("added", one("second", 3)).format(Format.PROMETHEUS_TEXT).build()::pushAdd);
                break;
            case "replace":
                report("push", gateway("java1", one("only", 1)).build()::push);
                report("refused", gateway("clash", summary("only")).build()::push);
                report("refused", gateway("clash", summary("only")).format(Format.PROMETHEUS_TEXT).build()::push);
                break;
            case "delete":
                report("delete", gateway("java1", one("g", 1)).build()::delete);
                report("delete", odd().build()::delete);
                report("delete", gateway("unknown", one("g", 1)).build()::delete);
                break;
            default:
                throw new IllegalArgumentException(args[1]);
        }
    }

    static PushGateway.Builder gateway(String job, PrometheusRegistry registry) {
        PushGateway.Builder builder = PushGateway.builder().address(args[0]).job(job).registry(registry);
        return args.length > 3 ? builder.basicAuth(args[2], args[3]) : builder;
    }

    static PushGateway.Builder odd() {
        return gateway("a/b", one("g", 1)).groupingKey("path", "x/y").groupingKey("empty", "").groupingKey("blank", "a b+c");
    }

    static void report(String what, Send send) {
        try {
            send.run();
            System.out.println(what + " ok");
        } catch (IOException refused) {
            Matcher code = Pattern.compile(" was (\\d{3})").matcher(String.valueOf(refused.getMessage()));
            System.out.println(what + " " + (code.find() ? code.group(1) : refused.getMessage()));
        }
    }

    static PrometheusRegistry registry() {
        PrometheusRegistry registry = new PrometheusRegistry();
        Counter counter = Counter.builder().name("c").help("A \"counter\".").labelNames("x").register(registry);
        counter.labelValues("quote \" back \\ line \n").inc(1e6);
        counter.labelValues("").inc();
        Gauge.builder().name("g").help("A gauge.").register(registry).set(12345678.9);
        Histogram classic = Histogram.builder().name("h_seconds").help("A histogram.").classicOnly().classicUpperBounds(0.5, 1, 1e6).register(registry);
        classic.observe(0.75);
        Histogram both = Histogram.builder().name("n_seconds").help("Another histogram.").register(registry);
        both.observe(0.75);
        both.observe(-3);
        both.observe(0);
        Summary.builder().name("s_seconds").help("A summary.").quantile(0.5).register(registry).observe(2);
        Info.builder().name("i_info").help("Some info.").labelNames("version").register(registry).setLabelValues("1.2.3");
        return registry;
    }

    static PrometheusRegistry one(String name, double value) {
        PrometheusRegistry registry = new PrometheusRegistry();
        Gauge.builder().name(name).help("A gauge.").register(registry).set(value);
        return registry;
    }

    static PrometheusRegistry summary(String name) {
        PrometheusRegistry registry = new PrometheusRegistry();
        Summary.builder().name(name).help("A summary.").register(registry).observe(1);
        return registry;
    }
}
