package org.backplane.shell;

import java.lang.reflect.Method;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

/** The commands in the board's scopes, of this bundle and of others, read from their components: for help and completion. */
final class Catalog {
    /** Scopes in the order in which help shows them, which is also the order in which a name without a scope is looked up. */
    static final List<String> SCOPES = List.of("monitor", "vm", "card", "cpu", "exit", "mem", "mmu");

    /**
     * A command.
     *
     * @param examples as {@link Example} has them
     */
    record Entry(String scope, String name, String syntax, String description, List<String> examples) {
        String fullName() {
            return scope + ":" + name;
        }
    }

    private final Supplier<Stream<Entry>> source;

    Catalog(Supplier<Stream<Entry>> source) {
        this.source = source;
    }

    /** The commands that services bring. */
    static Catalog of(BundleContext context) {
        return new Catalog(() -> services(context));
    }

    /** All commands, by scope and name. */
    List<Entry> all() {
        return source.get()
                .filter(e -> SCOPES.contains(e.scope()))
                .sorted(Comparator.comparing((Entry e) -> SCOPES.indexOf(e.scope())).thenComparing(Entry::name))
                .toList();
    }

    private static Stream<Entry> services(BundleContext context) {
        try {
            ServiceReference<?>[] found = context.getServiceReferences((String) null, "(&(osgi.command.scope=*)(osgi.command.function=*))");
            return Stream.of(found == null ? new ServiceReference<?>[0] : found)
                    .filter(r -> SCOPES.contains(String.valueOf(r.getProperty("osgi.command.scope"))))
                    .flatMap(r -> entries(context, r));
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Stream<Entry> entries(BundleContext context, ServiceReference<?> reference) {
        String scope = reference.getProperty("osgi.command.scope").toString();
        Object functions = reference.getProperty("osgi.command.function");
        List<String> names = functions instanceof String[] many ? List.of(many) : List.of(functions.toString());
        Object component = context.getService(reference);
        if (component == null) return Stream.empty();
        try {
            return entries(component.getClass(), scope, names);
        } finally {
            context.ungetService(reference);
        }
    }

    static Stream<Entry> entries(Class<?> component, String scope, List<String> names) {
        return names.stream().flatMap(name -> method(component, name).stream().map(m -> new Entry(scope, name, syntax(m), description(m), examples(m))));
    }

    /** The method that Gogo calls for a name, the one that takes a session. */
    private static Optional<Method> method(Class<?> component, String name) {
        return Stream.of(component.getMethods())
                .filter(m -> m.getName().toLowerCase(Locale.ROOT).equals(name))
                .filter(m -> m.getParameterCount() == 2 && m.getParameterTypes()[0] == CommandSession.class)
                .findFirst();
    }

    private static String description(Method m) {
        Descriptor d = m.getAnnotation(Descriptor.class);
        return d == null ? "" : d.value();
    }

    private static List<String> examples(Method m) {
        Example e = m.getAnnotation(Example.class);
        return e == null ? List.of() : List.of(e.value());
    }

    private static String syntax(Method m) {
        Descriptor d = m.getParameters()[1].getAnnotation(Descriptor.class);
        return d == null ? "" : d.value();
    }

    /** The command that a name means, with or without its scope. */
    Optional<Entry> find(String name) {
        return all().stream().filter(e -> e.fullName().equals(name) || e.name().equals(name)).findFirst();
    }
}
