// SPDX-License-Identifier: Apache-2.0
package org.backplane.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.startlevel.BundleStartLevel;

/** A real framework with bundles that are nothing but manifests. */
class ContainerTest {

    @TempDir
    Path directory;

    private Places places;
    private Container container;

    @BeforeEach
    void home() throws Exception {
        Files.createDirectories(directory.resolve("system"));
        Files.createDirectories(directory.resolve("etc"));
        Files.writeString(directory.resolve("etc/config.properties"), "backplane.levels=late-*:3\n");
        places = new Places(directory, directory, Files.createDirectory(directory.resolve("cache")));
    }

    @AfterEach
    void stop() {
        if (container != null) {
            container.stop();
            assertFalse(Files.exists(places.cache()), "the scratch directory is gone");
        }
    }

    private void bundle(String file, String name, String imports) throws Exception {
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.put(new Attributes.Name("Bundle-ManifestVersion"), "2");
        attributes.put(new Attributes.Name("Bundle-SymbolicName"), name);
        if (imports != null) {
            attributes.put(new Attributes.Name("Import-Package"), imports);
        }
        new JarOutputStream(Files.newOutputStream(directory.resolve("system").resolve(file)), manifest).close();
    }

    private void start() throws Exception {
        container = Container.create(places, "test", Map.of());
        container.start();
    }

    private Bundle find(String name) {
        return List.of(container.context().getBundles()).stream()
                .filter(b -> name.equals(b.getSymbolicName()))
                .findFirst()
                .orElse(null);
    }

    @Test
    void startsAllAndTheLateOnesLast() throws Exception {
        bundle("a-1.jar", "a", null);
        bundle("late-1.jar", "late", null);
        start();
        assertEquals(Bundle.ACTIVE, find("a").getState());
        assertEquals(Bundle.ACTIVE, find("late").getState());
        assertEquals(1, find("a").adapt(BundleStartLevel.class).getStartLevel());
        assertEquals(3, find("late").adapt(BundleStartLevel.class).getStartLevel());
        assertEquals(List.of(), container.problems());
    }

    @Test
    void leavesOutWhatTheProfileLists() throws Exception {
        bundle("a-1.jar", "a", null);
        bundle("b-1.jar", "b", null);
        Files.writeString(directory.resolve("etc/test.exclude"), "b-*.jar\n");
        start();
        assertNull(find("b"));
    }

    @Test
    void aBadBundleIsNamedAndStopsNoOther() throws Exception {
        bundle("a-1.jar", "a", "no.such.pkg");
        bundle("b-1.jar", "b", null);
        Files.writeString(directory.resolve("system/c-1.jar"), "garbage");
        start();
        assertEquals(Bundle.ACTIVE, find("b").getState());
        List<String> problems =
                container.problems().stream().map(Container.Problem::toString).toList();
        assertEquals(2, problems.size(), problems.toString());
        assertTrue(problems.get(0).startsWith("c-1.jar: "), problems.get(0));
        assertEquals(
                "a: missing requirement osgi.wiring.package; (osgi.wiring.package=no.such.pkg)", problems.get(1));
    }

    @Test
    void findsACommandByItsPropertyAlsoWhenItComesLate() throws Exception {
        start();
        Commands commands = new Commands(container.context());
        assertNull(commands.find("run", 1));
        Thread.ofVirtual().start(() -> {
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                return;
            }
            ToIntFunction<String[]> command = args -> args.length;
            container.context().registerService(ToIntFunction.class, command,
                    new Hashtable<>(Map.of(Commands.PROPERTY, "run")));
        });
        assertEquals(2, commands.find("run", 10_000).applyAsInt(new String[] {"a", "b"}));
        assertEquals(Set.of("run"), commands.names());
        assertNull(commands.find("*", 1), "a name is no pattern");
    }
}
