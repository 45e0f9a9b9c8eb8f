// SPDX-License-Identifier: Apache-2.0

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Runs the tests whose names (class, or class#method) come on standard input, one a line, once that has ended.
 *
 * <p>Exit status: {@link #PASSED}; {@link #FAILED}, which is not the 1 of a JVM that met an exception; {@link #NO_RESULT}: there was no test,
 * one was skipped, or one failed because a class did not link, which is a fault of the mutation.
 */
final class TestRun {
    private static final int PASSED = 0, FAILED = 4, NO_RESULT = 3;

    private TestRun() {}

    public static void main(String[] args) throws Exception {
        Launcher launcher = LauncherFactory.create();
        List<DiscoverySelector> tests;
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            tests = in.lines().map(TestRun::selector).toList();
        }
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        launcher.execute(
                LauncherDiscoveryRequestBuilder.request().selectors(tests).filters(TagFilter.excludeTags("full")).build(), listener);
        TestExecutionSummary summary = listener.getSummary();
        for (var failure : summary.getFailures()) {
            System.out.println("failed: " + failure.getTestIdentifier().getDisplayName());
        }
        summary.printTo(new PrintWriter(System.out, true));
        summary.printFailuresTo(new PrintWriter(System.out, true), 12);
        System.exit(status(summary));
    }

    private static DiscoverySelector selector(String test) {
        int hash = test.indexOf('#');
        if (hash < 0) return selectClass(test);
        // The method by its name alone, whatever its parameters are.
        try {
            for (Class<?> c = Class.forName(test.substring(0, hash), false, TestRun.class.getClassLoader()); c != null; c = c.getSuperclass()) {
                for (var m : c.getDeclaredMethods()) {
                    if (m.getName().equals(test.substring(hash + 1)) && !m.isSynthetic()) {
                        return selectMethod(Class.forName(test.substring(0, hash), false, TestRun.class.getClassLoader()), m);
                    }
                }
            }
        } catch (ClassNotFoundException e) {
            throw new IllegalArgumentException("no class for " + test, e);
        }
        throw new IllegalArgumentException("no test " + test);
    }

    private static int status(TestExecutionSummary summary) {
        if (summary.getTestsFoundCount() == 0 || summary.getTestsSkippedCount() + summary.getTestsAbortedCount() > 0) return NO_RESULT;
        for (var failure : summary.getFailures()) {
            if (failure.getException() instanceof LinkageError) return NO_RESULT;
        }
        return summary.getTotalFailureCount() == 0 ? PASSED : FAILED;
    }
}
