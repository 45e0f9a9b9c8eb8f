package org.backplane.itests.harness;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectUniqueId;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.engine.JupiterTestEngine;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.osgi.framework.BundleContext;

/** What Pax Exam calls in the probe: runs one test method with a JUnit of its own. */
public final class InsideRunner {
    /**
     * @param probe unused; Pax Exam gives the first parameter the probe's context
     * @param uniqueId JUnit's identifier of the method on the host, which is the same here
     * @throws Throwable what the test threw
     */
    public void run(BundleContext probe, String uniqueId) throws Throwable {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        // JUnit loads the test class by this one.
        thread.setContextClassLoader(InsideRunner.class.getClassLoader());
        try {
            runHere(uniqueId);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static void runHere(String uniqueId) throws Throwable {
        // Nothing by ServiceLoader: it would ask the probe's class loader for what only the host has.
        Launcher launcher = LauncherFactory.create(LauncherConfig.builder()
                .enableTestEngineAutoRegistration(false)
                .enableTestExecutionListenerAutoRegistration(false)
                .enableLauncherDiscoveryListenerAutoRegistration(false)
                .enableLauncherSessionListenerAutoRegistration(false)
                .enablePostDiscoveryFilterAutoRegistration(false)
                .addTestEngines(new JupiterTestEngine())
                .build());
        AtomicInteger tests = new AtomicInteger();
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        launcher.execute(LauncherDiscoveryRequestBuilder.request().selectors(selectUniqueId(uniqueId)).build(), new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier id, TestExecutionResult result) {
                if (id.isTest()) tests.incrementAndGet();
                result.getThrowable().ifPresent(t -> thrown.compareAndSet(null, t));
            }
        });
        if (thrown.get() != null) throw thrown.get();
        if (tests.get() != 1) throw new AssertionError(uniqueId + " ran " + tests.get() + " tests inside the container");
    }
}
