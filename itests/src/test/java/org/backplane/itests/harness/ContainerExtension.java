package org.backplane.itests.harness;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.osgi.framework.BundleReference;

/**
 * Starts a container for a test class, and has each of its methods run inside. The inner run meets this extension too; there it does nothing.
 */
final class ContainerExtension implements BeforeAllCallback, AfterAllCallback, InvocationInterceptor {
    private static final Namespace STORE = Namespace.create(ContainerExtension.class);

    /** This class was loaded by a bundle: this is the inner run. */
    private final boolean inside = ContainerExtension.class.getClassLoader() instanceof BundleReference;

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        if (!inside) context.getStore(STORE).put(BackplaneContainer.class, BackplaneContainer.start());
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        if (!inside) container(context).stop();
    }

    private static BackplaneContainer container(ExtensionContext context) {
        return context.getStore(STORE).get(BackplaneContainer.class, BackplaneContainer.class);
    }

    @Override
    public void interceptTestMethod(
            Invocation<Void> body, ReflectiveInvocationContext<Method> method, ExtensionContext context) throws Throwable {
        test(body, context);
    }

    @Override
    public void interceptTestTemplateMethod(
            Invocation<Void> body, ReflectiveInvocationContext<Method> method, ExtensionContext context) throws Throwable {
        test(body, context);
    }

    private void test(Invocation<Void> body, ExtensionContext context) throws Throwable {
        if (inside) {
            body.proceed();
            return;
        }
        body.skip();
        try {
            container(context).run(context.getUniqueId());
        } catch (RuntimeException e) {
            // Pax Exam wraps what the test threw in several layers.
            for (Throwable t = e; t != null; t = t.getCause()) if (t instanceof InvocationTargetException i) throw i.getCause();
            throw e;
        }
    }

    @Override
    public void interceptBeforeAllMethod(
            Invocation<Void> body, ReflectiveInvocationContext<Method> method, ExtensionContext context) throws Throwable {
        onlyInside(body);
    }

    @Override
    public void interceptBeforeEachMethod(
            Invocation<Void> body, ReflectiveInvocationContext<Method> method, ExtensionContext context) throws Throwable {
        onlyInside(body);
    }

    @Override
    public void interceptAfterEachMethod(
            Invocation<Void> body, ReflectiveInvocationContext<Method> method, ExtensionContext context) throws Throwable {
        onlyInside(body);
    }

    @Override
    public void interceptAfterAllMethod(
            Invocation<Void> body, ReflectiveInvocationContext<Method> method, ExtensionContext context) throws Throwable {
        onlyInside(body);
    }

    private void onlyInside(Invocation<Void> body) throws Throwable {
        if (inside) body.proceed();
        else body.skip();
    }
}
