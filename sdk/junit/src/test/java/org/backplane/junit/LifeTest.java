package org.backplane.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.backplane.board.api.Machine;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** What comes before and behind the tests that use the extension: those tests are the nested classes, which nothing else runs. */
class LifeTest {
    /** Runs a class; answers the message of each test or container that failed. */
    private static List<String> run(Class<?> tests) {
        List<String> failures = new ArrayList<>();
        LauncherFactory.create().execute(
                LauncherDiscoveryRequestBuilder.request().selectors(DiscoverySelectors.selectClass(tests)).build(), new TestExecutionListener() {
                    @Override
                    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                        result.getThrowable().ifPresent(t -> failures.add(String.valueOf(t.getMessage())));
                    }
                });
        return failures;
    }

    private static Set<String> scratchDirectories() throws IOException {
        try (Stream<Path> all = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return all.map(p -> p.getFileName().toString())
                    .filter(n -> n.startsWith("backplane-junit") || n.startsWith("backplane-probe"))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    static class Fails {
        @RegisterExtension
        final TestVm vm = TestVm.builder().build();

        static Machine machine;

        @Test
        void afterItHasStarted() {
            machine = vm.machine();
            fail("on purpose");
        }
    }

    @Test
    void testThatFailsLeavesNothingBehind() throws Exception {
        Set<String> before = scratchDirectories();
        int threads = Thread.activeCount();
        assertEquals(List.of("on purpose"), run(Fails.class));
        assertEquals(Machine.State.ENDED, Fails.machine.state());
        assertEquals(before, scratchDirectories());
        assertTrue(Thread.activeCount() <= threads, Thread.getAllStackTraces().keySet()::toString);
    }

    static class HasANestedClass {
        @RegisterExtension
        static final TestVm vm = TestVm.builder().build();

        static final List<Machine> seen = new ArrayList<>();

        @Test
        void outside() {
            seen.add(vm.machine());
        }

        @Nested
        class Inner {
            @Test
            void inside() {
                seen.add(vm.machine());
            }
        }
    }

    @Test
    void nestedClassesShareTheVmOfTheirOuterOne() {
        assertEquals(List.of(), run(HasANestedClass.class));
        assertEquals(2, HasANestedClass.seen.size());
        assertSame(HasANestedClass.seen.getFirst(), HasANestedClass.seen.getLast());
        assertEquals(Machine.State.ENDED, HasANestedClass.seen.getFirst().state());
    }

    static class HasNoSuchCard {
        @RegisterExtension
        static final TestVm vm = TestVm.builder().device("unheard-of").build();

        @Test
        void neverRuns() {
            fail("ran");
        }
    }

    static class HasNoBundle {
        @RegisterExtension
        static final TestVm vm = TestVm.builder().card(HasNoBundle.class).build();

        @Test
        void neverRuns() {
            fail("ran");
        }
    }

    static class HasACardThatDoesNotResolve {
        @RegisterExtension
        static final TestVm vm = TestVm.builder().card(CardFiles.make(Path.of("target", "unresolved"), "com.example.missing")).build();

        @Test
        void neverRuns() {
            fail("ran");
        }
    }

    static class HasNoKernel {
        @RegisterExtension
        static final TestVm vm = TestVm.builder().kernel(Path.of("no-such-kernel")).build();

        @Test
        void neverRuns() {
            fail("ran");
        }
    }

    @Test
    void whatCannotStartSaysWhyAndLeavesNothingBehind() throws Exception {
        Set<String> before = scratchDirectories();
        assertSays("unheard-of", HasNoSuchCard.class);
        assertSays("no META-INF/MANIFEST.MF", HasNoBundle.class);
        assertSays("com.example.missing", HasACardThatDoesNotResolve.class);
        assertSays("no-such-kernel", HasNoKernel.class);
        assertEquals(before, scratchDirectories());
    }

    private static void assertSays(String text, Class<?> tests) {
        List<String> failures = run(tests);
        assertEquals(1, failures.size(), failures::toString);
        assertTrue(failures.getFirst().contains(text) && failures.getFirst().lines().count() == 1, failures.getFirst());
    }

    @Test
    void fieldThatIsNoExtensionIsTold() {
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> TestVm.builder().build().serial());
        assertTrue(e.getMessage().contains("@RegisterExtension"), e.getMessage());
    }

    @Test
    void firstSerialPortIsTheTests() {
        assertThrows(IllegalArgumentException.class, () -> TestVm.builder().option("serial", "stdio"));
    }
}
