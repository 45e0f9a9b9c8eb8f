package org.backplane.itests.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.backplane.itests.launcher.BackplaneProcess;
import org.backplane.itests.launcher.BackplaneProcess.Result;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code backplane card new} from the unpacked archive, with nothing around it: the project that it makes is built, tested and deployed. */
class CardNewIT {
    private static final String ARCHETYPE_PLUGIN = "3.4.0";

    private static SampleBuild build;
    private static Path home;

    @TempDir
    private Path directory;

    @BeforeAll
    static void unpackTheArchive() throws Exception {
        build = new SampleBuild("card-new");
        Path archive = Path.of(System.getProperty("backplane.dist")).resolveSibling("backplane-" + System.getProperty("backplane.version") + ".tar.gz");
        Process tar = new ProcessBuilder("tar", "-xzf", archive.toString(), "-C", build.work().toString()).inheritIO().start();
        assertTrue(tar.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, tar.exitValue());
        home = build.work().resolve("backplane-" + System.getProperty("backplane.version"));
    }

    private Result backplane(Path where, String... arguments) throws Exception {
        return BackplaneProcess.at(home, directory, where).run(arguments);
    }

    @Test
    @Tag("full")
    void projectIsBuiltTestedAndDeployed() throws Exception {
        Result r = backplane(build.work(), "card", "new", "my-lamp", "-group", "org.acme.cards");
        assertEquals("", r.err());
        assertEquals(0, r.status());
        Path project = build.work().resolve("my-lamp");
        assertTrue(r.out().contains("cd my-lamp") && r.out().contains(home.resolve("deploy").toString()), r.out());
        try (Stream<Path> files = Files.walk(project)) {
            for (Path f : files.filter(Files::isRegularFile).toList()) {
                assertFalse(f.toString().contains("__"), f.toString());
                // What is left is Maven's.
                String left = Files.readString(f).replaceAll("\\$\\{(project|backplane)\\.", "");
                assertFalse(left.contains("${") || left.contains("@version"), () -> f + ":\n" + left);
            }
        }
        String log = build.maven(project, "package", "-Pdeploy");
        for (String test : List.of("MyLampCardTest", "MyLampCardFuzzTest", "MyLampCardVmTest")) assertTrue(log.contains("org.acme.cards.mylamp." + test), log);
        assertFalse(log.contains("[WARNING]"), log);
        assertTrue(Files.exists(home.resolve("deploy/my-lamp.jar")), log);
        // Time to look at deploy/, by which the card is plugged.
        r = backplane(build.work(), "-c", "vm:create m -m 4; sleep 3; card:list m; card:state m my-lamp");
        assertEquals(0, r.status(), r.err());
        assertTrue(r.out().contains("org.acme.cards.my-lamp"), r.out());
        assertTrue(r.out().contains("period=1000"), r.out());
    }

    /** Maven's archetype plugin comes from a registry. */
    @Test
    @Tag("full")
    void archetypeOfMavenMakesTheSameFiles() throws Exception {
        Path ours = Files.createDirectory(build.work().resolve("ours"));
        Path mavens = Files.createDirectory(build.work().resolve("mavens"));
        assertEquals(0, backplane(ours, "card", "new", "blink").status());
        build.mavenWithRegistries(mavens, "org.apache.maven.plugins:maven-archetype-plugin:" + ARCHETYPE_PLUGIN + ":generate", "-DarchetypeCatalog=internal",
                "-DarchetypeGroupId=org.backplane", "-DarchetypeArtifactId=backplane-card-archetype", "-DarchetypeVersion=" + System.getProperty("backplane.version"),
                "-DgroupId=com.example", "-DartifactId=blink", "-Dpackage=com.example.blink", "-DclassName=BlinkCard");
        try (Stream<Path> files = Files.walk(ours.resolve("blink"))) {
            for (Path f : files.filter(Files::isRegularFile).toList()) {
                Path relative = ours.relativize(f);
                if (relative.endsWith(".mvn/maven.config") || relative.endsWith(".gitignore")) continue; // of this host
                assertEquals(Files.readString(f), Files.readString(mavens.resolve(relative)), relative.toString());
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            new            | usage: backplane card new NAME [-group GROUP]
            new Lamp       | backplane: card new: 'Lamp' is no name for a card: small letters, digits and dashes, a letter first (blink, my-card)
            new x -group 1 | backplane: card new: '1.x' is no name for a package: choose another name or -group
            new serial     | backplane: card new: Backplane has a card 'serial' of its own
            new taken      | backplane: card new: there is a 'taken' here already
            """)
    void badInputIsOneLineAndStatus2(String arguments, String line) throws Exception {
        Files.createFile(directory.resolve("taken"));
        Result r = backplane(directory, Stream.concat(Stream.of("card"), Stream.of(arguments.split(" "))).toArray(String[]::new));
        assertEquals(line + System.lineSeparator(), r.err());
        assertEquals(2, r.status());
        assertEquals("", r.out());
    }
}
