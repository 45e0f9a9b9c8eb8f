// SPDX-License-Identifier: Apache-2.0
package org.backplane.launcher;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceReference;

/**
 * Commands of the command line that bundles bring: {@code backplane NAME ARGUMENT…} calls the service with the
 * property {@code org.backplane.command=NAME}, a {@code ToIntFunction<String[]>}, with the arguments after the name.
 * It runs on the main thread, has standard input, output and error for itself, and returns the exit status. When the
 * process is told to end (Ctrl-C), its bundle is stopped like all others; then the function should return.
 */
final class Commands {

    static final String PROPERTY = "org.backplane.command";

    private final BundleContext context;

    Commands(BundleContext context) {
        this.context = context;
    }

    /** The service's object, or null if it does not come within the limit. */
    @SuppressWarnings("unchecked")
    ToIntFunction<String[]> find(String name, long limitMillis) throws InterruptedException {
        String filter = "(" + PROPERTY + "=" + escape(name) + ")";
        CountDownLatch registered = new CountDownLatch(1);
        ServiceListener listener = event -> registered.countDown();
        try {
            context.addServiceListener(listener, filter);
            ServiceReference<?>[] found = context.getAllServiceReferences(null, filter);
            if (found == null && registered.await(limitMillis, TimeUnit.MILLISECONDS)) {
                found = context.getAllServiceReferences(null, filter);
            }
            if (found == null) {
                return null;
            }
            Object service = context.getService(found[0]);
            return service instanceof ToIntFunction<?> function ? (ToIntFunction<String[]>) function : null;
        } catch (InvalidSyntaxException e) {
            throw new IllegalArgumentException(name, e);
        } finally {
            context.removeServiceListener(listener);
        }
    }

    /** The names of the commands that are there. */
    Set<String> names() {
        Set<String> names = new TreeSet<>();
        try {
            ServiceReference<?>[] found = context.getAllServiceReferences(null, "(" + PROPERTY + "=*)");
            for (ServiceReference<?> reference : found == null ? new ServiceReference<?>[0] : found) {
                Object value = reference.getProperty(PROPERTY);
                names.addAll(value instanceof String[] several ? List.of(several) : List.of(value.toString()));
            }
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
        return names;
    }

    private static String escape(String value) {
        return value.replaceAll("[\\\\()*]", "\\\\$0");
    }

    /**
     * Which components lack what: the reason why a command is not there although every bundle runs. Declarative
     * Services is asked by reflection, its API being a bundle's.
     */
    List<String> waitingComponents() {
        List<String> lines = new ArrayList<>();
        ServiceReference<?> reference =
                context.getServiceReference("org.osgi.service.component.runtime.ServiceComponentRuntime");
        if (reference == null) {
            lines.add("Declarative Services is not running");
            return lines;
        }
        try {
            Object runtime = context.getService(reference);
            Class<?> api = type(runtime, "ServiceComponentRuntime");
            Class<?> description = api.getClassLoader()
                    .loadClass("org.osgi.service.component.runtime.dto.ComponentDescriptionDTO");
            Object all = api.getMethod("getComponentDescriptionDTOs", org.osgi.framework.Bundle[].class)
                    .invoke(runtime, (Object) new org.osgi.framework.Bundle[0]);
            for (Object component : (Iterable<?>) all) {
                Object instances = api.getMethod("getComponentConfigurationDTOs", description)
                        .invoke(runtime, component);
                for (Object instance : (Iterable<?>) instances) {
                    Object failure = field(instance, "failure");
                    if (failure != null) {
                        lines.add(field(component, "name") + " failed: "
                                + failure.toString().lines().findFirst().orElse(""));
                    }
                    Object unsatisfied = field(instance, "unsatisfiedReferences");
                    for (int i = 0; i < Array.getLength(unsatisfied); i++) {
                        Object target = field(Array.get(unsatisfied, i), "target");
                        lines.add(field(component, "name") + " waits for "
                                + interfaceOf(component, field(Array.get(unsatisfied, i), "name"))
                                + (target == null ? "" : " with " + target));
                    }
                }
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            lines.add("Declarative Services does not tell: " + Logging.reason(e));
        }
        return lines;
    }

    private static Object interfaceOf(Object component, Object referenceName) throws ReflectiveOperationException {
        Object references = field(component, "references");
        for (int i = 0; i < Array.getLength(references); i++) {
            if (referenceName.equals(field(Array.get(references, i), "name"))) {
                return field(Array.get(references, i), "interfaceName");
            }
        }
        return referenceName;
    }

    private static Object field(Object dto, String name) throws ReflectiveOperationException {
        return dto.getClass().getField(name).get(dto);
    }

    /** The interface of that simple name which the object implements: callable although its class is private. */
    static Class<?> type(Object object, String simpleName) throws ClassNotFoundException {
        for (Class<?> c = object.getClass(); c != null; c = c.getSuperclass()) {
            for (Class<?> i : c.getInterfaces()) {
                if (i.getSimpleName().equals(simpleName)) {
                    return i;
                }
            }
        }
        throw new ClassNotFoundException(simpleName);
    }
}
