package org.backplane.itests.harness;

import static org.ops4j.pax.exam.CoreOptions.bundle;
import static org.ops4j.pax.exam.CoreOptions.cleanCaches;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.frameworkStartLevel;
import static org.ops4j.pax.exam.CoreOptions.systemPackage;
import static org.ops4j.pax.exam.Constants.START_LEVEL_TEST_BUNDLE;
import static org.ops4j.pax.exam.CoreOptions.workingDirectory;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.ops4j.pax.exam.ExamSystem;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.TestAddress;
import org.ops4j.pax.exam.TestContainer;
import org.ops4j.pax.exam.TestProbeBuilder;
import org.ops4j.pax.exam.nat.internal.NativeTestContainerFactory;
import org.ops4j.pax.exam.spi.DefaultExamSystem;
import org.osgi.framework.Constants;

/**
 * A container with every bundle of the built distribution, set up as its {@code etc/config.properties} says, and the probe. Nothing is fetched: bundles
 * are the jars in {@code system/}, and Pax Exam's two come from the class path.
 *
 * <p>It differs from what the launcher starts in three things: the shell reads no terminal, {@code deploy/} is a directory of this container, and the
 * system bundle also exports what the tests and Pax Exam need of the host.
 */
final class BackplaneContainer {
    /** Packages of the host that the probe uses, and Pax Exam's bundles. The second slf4j is for the latter, which want 1.x. */
    private static final List<String> HOST_PACKAGES = List.of(
            "org.slf4j;version=\"1.7.36\"",
            "javax.inject;version=\"1.0.5\"",
            "org.ops4j.pax.swissbox.core;version=\"1.9.0\"",
            "org.ops4j.pax.swissbox.extender;version=\"1.9.0\"",
            "org.ops4j.pax.swissbox.tracker;version=\"1.9.0\"",
            "org.opentest4j",
            "org.junit.jupiter.api",
            "org.junit.jupiter.api.condition",
            "org.junit.jupiter.api.extension",
            "org.junit.jupiter.api.function",
            "org.junit.jupiter.api.io",
            "org.junit.jupiter.engine",
            "org.junit.jupiter.params",
            "org.junit.jupiter.params.provider",
            "org.junit.platform.engine",
            "org.junit.platform.engine.discovery",
            "org.junit.platform.launcher",
            "org.junit.platform.launcher.core");

    private final TestContainer container;
    private final TestAddress runner;
    private final Path scratch;

    private BackplaneContainer(TestContainer container, TestAddress runner, Path scratch) {
        this.container = container;
        this.runner = runner;
        this.scratch = scratch;
    }

    static BackplaneContainer start() throws IOException {
        // Otherwise a bundle that does not resolve is logged only.
        System.setProperty("pax.exam.osgi.unresolved.fail", "true");
        System.setProperty("org.jline.terminal.dumb", "true");
        Path scratch = Files.createTempDirectory("backplane-itests");
        Files.createDirectories(scratch.resolve("deploy"));
        ExamSystem system = DefaultExamSystem.create(options(distribution(), scratch));
        TestContainer container = new NativeTestContainerFactory().create(system)[0].start();
        TestProbeBuilder probe = system.createProbe();
        TestAddress runner = probe.addTest(InsideRunner.class, "run");
        container.installProbe(probe.build().getStream());
        return new BackplaneContainer(container, runner, scratch);
    }

    /** The tree that {@code ./backplane} starts. */
    private static Path distribution() {
        Path dist = Path.of(System.getProperty("backplane.dist"));
        if (!Files.isDirectory(dist.resolve("system"))) throw new IllegalStateException("the distribution is not built: " + dist);
        return dist;
    }

    private static Option[] options(Path dist, Path scratch) throws IOException {
        Properties settings = new Properties();
        try (Reader in = Files.newBufferedReader(dist.resolve("etc/config.properties"))) {
            settings.load(in);
        }
        List<Option> options = new ArrayList<>();
        options.add(cleanCaches());
        options.add(workingDirectory(scratch.resolve("felix").toString()));
        for (String p : settings.remove(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA).toString().split(",")) options.add(systemPackage(p));
        for (String p : HOST_PACKAGES) options.add(systemPackage(p));

        String[] levels = settings.remove("backplane.levels").toString().split(",");
        int last = Stream.of(levels).mapToInt(BackplaneContainer::level).max().orElse(1);
        options.add(frameworkStartLevel(Math.max(last, START_LEVEL_TEST_BUNDLE)));
        for (Path jar : jars(dist)) {
            int level = Stream.of(levels).filter(l -> matches(l, jar)).mapToInt(BackplaneContainer::level).findFirst().orElse(1);
            options.add(bundle("reference:" + jar.toUri()).startLevel(level));
        }
        options.add(bundle(onClassPath("org.ops4j.pax.exam.raw.extender.intern.Activator")));
        options.add(bundle(onClassPath("org.ops4j.pax.exam.inject.internal.Activator")));

        settings.put("backplane.data", scratch.toString());
        settings.put("backplane.mode", "batch");
        settings.put("gosh.home", dist.toString());
        settings.put("gosh.args", "--nointeractive --noshutdown");
        settings.put("felix.fileinstall.dir", scratch.resolve("deploy").toString());
        // Or a class that no bundle has would be looked for on the host.
        settings.put("felix.bootdelegation.implicit", "false");
        for (String key : settings.stringPropertyNames()) {
            String value = settings.getProperty(key)
                    .replace("${backplane.home}", dist.toString())
                    .replace("${backplane.cache}", scratch.toString());
            options.add(frameworkProperty(key).value(value));
        }
        options.add(frameworkProperty("backplane.home").value(dist.toString()));
        return options.toArray(Option[]::new);
    }

    private static List<Path> jars(Path dist) throws IOException {
        try (Stream<Path> files = Files.list(dist.resolve("system"))) {
            return files.filter(f -> f.toString().endsWith(".jar")).sorted().toList();
        }
    }

    /** A level is {@code PATTERN:NUMBER}. */
    private static boolean matches(String level, Path jar) {
        String pattern = level.strip().replaceFirst(":\\d+$", "");
        return FileSystems.getDefault().getPathMatcher("glob:" + pattern).matches(jar.getFileName());
    }

    private static int level(String level) {
        return Integer.parseInt(level.strip().replaceFirst("^.*:", ""));
    }

    /** URL of the jar that has this class. */
    private static String onClassPath(String className) {
        try {
            return "reference:" + Class.forName(className).getProtectionDomain().getCodeSource().getLocation();
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    void run(String uniqueId) {
        container.call(new Call(runner, uniqueId));
    }

    void stop() throws IOException {
        container.stop();
        try (Stream<Path> all = Files.walk(scratch)) {
            for (Path p : all.sorted((a, b) -> b.compareTo(a)).toList()) Files.delete(p);
        }
    }

    /** One call of {@link InsideRunner#run}. */
    private record Call(TestAddress root, String caption) implements TestAddress {
        @Override
        public String identifier() {
            return root.identifier();
        }

        @Override
        public Object[] arguments() {
            return new Object[] {caption};
        }
    }
}
