// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Applies one mutation after the other and requires the test that it names to fail. {@code run} beside this file starts it.
 *
 * <p>What it guarantees: the checkout is only read (a copy of what git tracks or would track is kept under target/mutations and
 * brought up to date); the named tests pass without any mutation; a mutation counts as killed only if it compiled and its
 * test ran and failed. What does not apply, does not compile, finds no test, runs too long or fails to link is an error of
 * the mutation and not a kill.
 *
 * <p>Why it is quick: Maven builds the copy once and writes down the class path of every module's tests. After that a mutation
 * is one run of the compiler, in this process, over the module that the patch touches, into a directory of its own that comes
 * first on the class path of a new JVM for the test, which starts meanwhile. So nothing has to be built back. The price: a
 * constant that other <em>modules</em> compiled into themselves keeps its old value there.
 *
 * <p>Exit status: 0 all killed; 1 one survived or was in error; 2 nothing could be tried.
 */
final class Mutations {
    private static final int SECONDS_PER_TEST = 120;
    private static final int BASELINE_MINUTES = 20;

    /** One patch: the rule it breaks, the module whose test must notice, the test (class, or class#method), and the modules it changes. */
    record Mutation(String name, Path patch, String rule, String module, String test, Set<String> changed) {}

    /** What became of a mutation. */
    record Outcome(boolean killed, String words) {}

    /** Something is wrong with one mutation. */
    static final class MutationException extends Exception {
        private static final long serialVersionUID = 1;

        MutationException(String message) {
            super(message);
        }
    }

    private final Path root;
    private final Path work;
    private final Path tree;
    private final JavaCompiler javac = ToolProvider.getSystemJavaCompiler();

    private Mutations(Path root) {
        this.root = root;
        this.work = root.resolve("target/mutations");
        this.tree = work.resolve("tree");
    }

    public static void main(String[] args) throws Exception {
        List<String> names = new ArrayList<>(List.of(args));
        Mutations mutations = new Mutations(Path.of(names.removeFirst()).toRealPath());
        boolean check = names.remove("--check");
        System.exit(mutations.run(names, check));
    }

    private int run(List<String> prefixes, boolean check) throws IOException, InterruptedException {
        List<Mutation> chosen = new ArrayList<>();
        int bad = 0;
        for (Path patch : patches()) {
            String name = patch.getFileName().toString().replaceFirst("\\.patch$", "");
            if (!prefixes.isEmpty() && prefixes.stream().noneMatch(name::startsWith)) continue;
            try {
                Mutation m = read(name, patch);
                git(root, patch, "--check");
                requireTest(m);
                chosen.add(m);
            } catch (MutationException e) {
                bad++;
                System.out.println("ERROR     " + name + ": " + e.getMessage());
            }
        }
        if (chosen.isEmpty() && bad == 0) {
            System.out.println("mutations: no patch of that name");
            return 2;
        }
        if (check) {
            System.out.printf("%d mutations, %d in error%n", chosen.size() + bad, bad);
            return bad == 0 ? 0 : 1;
        }
        // The system gives the lock back when this process ends, however it does.
        try (FileChannel lock = FileChannel.open(work.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            if (lock.tryLock() != null) return tryAll(chosen, bad);
            System.out.println("mutations: another run works in " + work);
            return 2;
        }
    }

    /** Tries all that can be tried; {@code bad} of the others are in error already. The exit status. */
    private int tryAll(List<Mutation> chosen, int bad) throws IOException, InterruptedException {
        long start = System.nanoTime();
        if (!prepare(chosen)) return 2;
        System.out.printf("prepared in %.0f s%n", (System.nanoTime() - start) / 1e9);
        int killed = 0;
        for (Mutation m : chosen) {
            long began = System.nanoTime();
            Outcome outcome;
            try {
                outcome = tryOut(m);
            } catch (MutationException e) {
                outcome = new Outcome(false, "ERROR: " + e.getMessage());
            }
            if (outcome.killed()) killed++;
            double seconds = (System.nanoTime() - began) / 1e9;
            System.out.printf(Locale.ROOT, "%5.1f s  %s: %s: %s%n", seconds, m.name(), m.rule(), outcome.words());
        }
        int all = chosen.size() + bad;
        System.out.printf("%d mutations, %d killed, %d not, %.0f s%n", all, killed, all - killed, (System.nanoTime() - start) / 1e9);
        return killed == all ? 0 : 1;
    }

    // --- What there is ---------------------------------------------------------------------------------------------

    private List<Path> patches() throws IOException {
        try (Stream<Path> files = Files.list(root.resolve("itests/mutations"))) {
            return files.filter(f -> f.toString().endsWith(".patch")).sorted().toList();
        }
    }

    private static Mutation read(String name, Path patch) throws IOException, MutationException {
        String rule = null, module = null, test = null;
        for (String line : Files.readAllLines(patch)) {
            if (line.startsWith("--- ") || line.startsWith("diff ")) break;
            if (line.startsWith("Rule: ")) rule = line.substring(6).strip();
            if (line.startsWith("Module: ")) module = line.substring(8).strip();
            if (line.startsWith("Test: ")) test = line.substring(6).strip();
        }
        if (rule == null || module == null || test == null) throw new MutationException("needs the lines Rule:, Module: and Test:");
        return new Mutation(name, patch, rule, module, test, changedModules(patch));
    }

    /** The modules whose sources a patch changes; nothing but src/main may be changed. */
    private static Set<String> changedModules(Path patch) throws IOException, MutationException {
        Set<String> modules = new LinkedHashSet<>();
        for (String file : changedFiles(patch)) {
            int at = file.indexOf("/src/main/java/");
            if (at < 0) throw new MutationException("changes more than src/main");
            modules.add(file.substring(0, at));
        }
        return modules;
    }

    private static List<String> changedFiles(Path patch) throws IOException {
        try (Stream<String> lines = Files.lines(patch)) {
            return lines.filter(l -> l.startsWith("+++ b/")).map(l -> l.substring(6)).toList();
        }
    }

    /** The test's class has a source in its module; its method is there or in a class that it extends, in whichever module. */
    private void requireTest(Mutation m) throws IOException, MutationException {
        String type = m.test().replaceFirst("[#$].*", "");
        Path source = root.resolve(m.module()).resolve("src/test/java").resolve(type.replace('.', '/') + ".java");
        if (!Files.isRegularFile(source)) throw new MutationException("no test class " + type + " in " + m.module());
        int hash = m.test().indexOf('#');
        if (hash < 0) return;
        String method = " " + m.test().substring(hash + 1) + "(";
        while (true) {
            String text = Files.readString(source);
            if (text.contains(method)) return;
            var parent = Pattern.compile(" extends (\\w+)").matcher(text);
            Path next = parent.find() ? testSource(parent.group(1)) : null;
            if (next == null) throw new MutationException("no test " + m.test());
            source = next;
        }
    }

    private Path testSource(String simpleName) throws IOException {
        try (Stream<Path> files = Files.walk(root.resolve("bundles"))) {
            return files.filter(f -> f.endsWith(simpleName + ".java") && f.toString().contains("/src/test/")).findFirst().orElse(null);
        }
    }

    // --- Before the first ------------------------------------------------------------------------------------------

    /** Brings the copy up to date, builds it and runs all named tests; false, with a message, if that is not possible. */
    private boolean prepare(List<Mutation> chosen) throws IOException, InterruptedException {
        Files.createDirectories(tree);
        copyTree();
        Path runner = Files.createDirectories(work.resolve("runner"));
        Set<String> modules = new TreeSet<>();
        for (Mutation m : chosen) {
            modules.add(m.module());
            modules.addAll(m.changed());
        }
        Path log = work.resolve("maven.log");
        int status = command(
                tree, log, BASELINE_MINUTES * 60, "mvn", "-B", "-q", "-pl", String.join(",", modules), "-am", "test-compile",
                "org.apache.maven.plugins:maven-dependency-plugin:build-classpath", "-Dmdep.outputFile=target/test-classpath");
        if (status != 0) return fail("Maven cannot build the copy, see " + log);
        Path launcher = launcherJar(modules.iterator().next());
        if (!Files.isRegularFile(launcher)) return fail("not there: " + launcher + " (it comes with the first run of `mvn test`)");
        String trouble = compile(List.of(root.resolve("itests/mutations/testrun/TestRun.java")), launcherPath(modules.iterator().next()), runner);
        if (trouble != null) return fail(trouble);
        TreeMap<String, Set<String>> tests = new TreeMap<>();
        for (Mutation m : chosen) tests.computeIfAbsent(m.module(), x -> new LinkedHashSet<>()).add(m.test());
        boolean passed = true;
        for (var e : tests.entrySet()) {
            Path report = work.resolve("baseline.log");
            Process p = startTests(e.getKey(), List.of(), report);
            if (finish(p, e.getValue(), BASELINE_MINUTES * 60) != PASSED) {
                passed = fail("without any mutation, tests of " + e.getKey() + " do not pass:\n" + Files.readString(report));
            }
        }
        return passed;
    }

    private static boolean fail(String message) {
        System.out.println("mutations: " + message);
        return false;
    }

    private void copyTree() throws IOException, InterruptedException {
        Path list = work.resolve("files");
        int status = command(root, list, 60, "git", "ls-files", "-z", "-co", "--exclude-standard", "--", "pom.xml", ".mvn", "bundles",
                "distribution", "sdk", "itests/pom.xml");
        if (status != 0) throw new IOException("git ls-files: " + Files.readString(list));
        Set<Path> wanted = new HashSet<>();
        for (String name : Files.readString(list).split("\0")) {
            Path from = root.resolve(name), to = tree.resolve(name);
            if (!Files.isRegularFile(from)) continue; // deleted, and not yet for git
            wanted.add(to);
            if (Files.isRegularFile(to) && Files.mismatch(from, to) < 0) continue;
            Files.createDirectories(to.getParent());
            Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path f : files.filter(Files::isRegularFile).toList()) {
                if (!wanted.contains(f) && !f.toString().contains("/target/") || f.toString().endsWith(".rej")) Files.delete(f);
            }
        }
    }

    // --- One mutation ----------------------------------------------------------------------------------------------

    private Outcome tryOut(Mutation m) throws IOException, InterruptedException, MutationException {
        Path classes = work.resolve("mutated");
        delete(classes);
        Files.createDirectories(classes);
        Path report = work.resolve(m.name() + ".log");
        Process tests = startTests(m.module(), List.of(classes), report);
        try {
            // Put back as it was: a patch that is applied in reverse may meet lines that look the same elsewhere.
            Map<Path, byte[]> before = new HashMap<>();
            for (String f : changedFiles(m.patch())) before.put(tree.resolve(f), Files.readAllBytes(tree.resolve(f)));
            try {
                git(tree, m.patch());
                for (String module : m.changed()) {
                    String trouble = compile(sources(module), classPath(module), classes);
                    if (trouble != null) throw new MutationException(trouble);
                }
            } finally {
                for (var file : before.entrySet()) Files.write(file.getKey(), file.getValue());
            }
            int status = finish(tests, List.of(m.test()), SECONDS_PER_TEST);
            return switch (status) {
                case PASSED -> new Outcome(false, "SURVIVED " + m.test());
                case FAILED -> new Outcome(true, "killed by " + firstFailure(m, report));
                case TIMED_OUT -> throw new MutationException("the test did not end, see " + report);
                default -> throw new MutationException("no test result, see " + report);
            };
        } finally {
            tests.destroyForcibly();
        }
    }

    /** The test that failed; of several invocations of it the first that did. */
    private static String firstFailure(Mutation m, Path report) throws IOException {
        try (Stream<String> lines = Files.lines(report)) {
            return m.test() + lines.filter(l -> l.startsWith("failed: ")).map(l -> " (" + l.substring(8) + ")").findFirst().orElse("");
        }
    }

    private void git(Path where, Path patch, String... options) throws IOException, InterruptedException, MutationException {
        List<String> words = new ArrayList<>(List.of("git", "apply"));
        words.addAll(List.of(options));
        words.add(patch.toString());
        Path log = Files.createDirectories(work).resolve("git.log");
        if (command(where, log, 60, words.toArray(String[]::new)) != 0) {
            throw new MutationException("does not apply: " + Files.readString(log).strip());
        }
    }

    // --- Compiling and testing -------------------------------------------------------------------------------------

    private List<Path> sources(String module) throws IOException {
        try (Stream<Path> files = Files.walk(tree.resolve(module).resolve("src/main/java"))) {
            return files.filter(f -> f.toString().endsWith(".java")).toList();
        }
    }

    /** Compiles; null, or what the compiler said. */
    private String compile(Collection<Path> sources, String classPath, Path to) throws IOException {
        StringWriter words = new StringWriter();
        try (StandardJavaFileManager files = javac.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
            List<String> options = List.of("-proc:none", "-nowarn", "-parameters", "-g", "-cp", classPath, "-d", to.toString());
            boolean good = javac.getTask(words, files, null, options, null, files.getJavaFileObjectsFromPaths(sources)).call();
            return good ? null : "does not compile: " + words;
        }
    }

    /** The class path of a module's tests, as Maven wrote it; the module's own classes are not in it. */
    private String classPath(String module) throws IOException {
        return Files.readString(tree.resolve(module).resolve("target/test-classpath")).strip();
    }

    /** Surefire brings JUnit's launcher itself, so it is not on the class path; it lies beside the engine's jar, in the same version. */
    private Path launcherJar(String module) throws IOException {
        for (String entry : classPath(module).split(File.pathSeparator)) {
            if (!entry.contains("junit-platform-engine-")) continue;
            return Path.of(entry.replace("junit-platform-engine", "junit-platform-launcher"));
        }
        throw new IOException(module + " has no JUnit on its test class path");
    }

    private String launcherPath(String module) throws IOException {
        return classPath(module) + File.pathSeparator + launcherJar(module);
    }

    /** Starts a JVM that waits for the names of tests; {@code first} come before everything else on its class path. */
    private Process startTests(String module, List<Path> first, Path report) throws IOException {
        List<String> path = new ArrayList<>();
        for (Path p : first) path.add(p.toString());
        Path target = tree.resolve(module).resolve("target");
        path.addAll(List.of(target.resolve("test-classes").toString(), target.resolve("classes").toString(), launcherPath(module)));
        path.add(work.resolve("runner").toString());
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g",
                        "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
                        "-Dbackplane.full=false", "-Dbackplane.root=" + tree, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                        "-cp", String.join(File.pathSeparator, path), "TestRun")
                .directory(tree.resolve(module).toFile())
                .redirectErrorStream(true)
                .redirectOutput(report.toFile())
                .start();
    }

    private static final int TIMED_OUT = -1;

    /** Exit status of TestRun. */
    private static final int PASSED = 0, FAILED = 4;

    /** Lets the JVM run the tests; TestRun's exit status, or TIMED_OUT. */
    private static int finish(Process p, Collection<String> tests, int seconds) throws IOException, InterruptedException {
        try (OutputStream in = p.getOutputStream()) {
            in.write((String.join("\n", tests) + "\n").getBytes(StandardCharsets.UTF_8));
        }
        if (p.waitFor(seconds, TimeUnit.SECONDS)) return p.exitValue();
        p.destroyForcibly().waitFor();
        return TIMED_OUT;
    }

    /** Runs a program in a directory that git takes for no part of a repository above it; its exit status. */
    private int command(Path where, Path output, int seconds, String... words) throws IOException, InterruptedException {
        ProcessBuilder b = new ProcessBuilder(words).directory(where.toFile()).redirectErrorStream(true).redirectOutput(output.toFile());
        b.environment().put("GIT_CEILING_DIRECTORIES", where.getParent().toString());
        Process p = b.start();
        p.getOutputStream().close();
        if (p.waitFor(seconds, TimeUnit.SECONDS)) return p.exitValue();
        p.destroyForcibly().waitFor();
        return TIMED_OUT;
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) return;
        try (Stream<Path> all = Files.walk(directory)) {
            all.sorted((a, b) -> b.compareTo(a)).forEach(p -> {
                try {
                    Files.delete(p);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
