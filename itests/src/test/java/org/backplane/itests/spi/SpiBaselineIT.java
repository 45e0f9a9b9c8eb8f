package org.backplane.itests.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import aQute.bnd.differ.Baseline;
import aQute.bnd.differ.Baseline.Info;
import aQute.bnd.differ.DiffPluginImpl;
import aQute.bnd.osgi.Instructions;
import aQute.bnd.osgi.Jar;
import aQute.bnd.osgi.Processor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.CardFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The versions of the SPI's packages say what changed since each older SPI. bnd compares, and knows what a consumer and a provider can bear. */
class SpiBaselineIT {
    private static final String PACKAGES = "org.backplane.kvm.spi,org.backplane.kvm.spi.device";

    @TempDir
    private Path work;

    private Path sources;

    @BeforeEach
    void copyTheFirstSpi() throws IOException {
        Path first = OlderSpi.all().getFirst();
        sources = work.resolve("sources");
        for (Path f : OlderSpi.javaFiles(first)) {
            Path to = sources.resolve(first.relativize(f));
            Files.createDirectories(to.getParent());
            Files.copy(f, to);
        }
    }

    /** A line for each package whose version is too low. */
    private static List<String> mismatches(Path newer, Path older) throws Exception {
        List<String> lines = new ArrayList<>();
        try (Jar n = new Jar(newer.toFile());
                Jar o = new Jar(older.toFile());
                Processor processor = new Processor()) {
            for (Info i : new Baseline(processor, new DiffPluginImpl()).baseline(n, o, new Instructions(PACKAGES))) {
                if (i.mismatch) lines.add(i.packageName + " has " + i.packageDiff.getDelta() + " changes and needs version " + i.suggestedVersion + ", not " + i.newerVersion);
            }
        }
        return lines;
    }

    @Test
    void versionsSayWhatChangedSinceEachOlderSpi() throws Exception {
        List<Path> all = OlderSpi.all();
        assertFalse(all.isEmpty());
        for (Path older : all) {
            assertEquals(List.of(), mismatches(OlderSpi.onClassPath(CardFactory.class), OlderSpi.jar(older, work)), () -> "since " + older);
        }
    }

    /** Compares an SPI that was changed, and says so by no version, with what it was. */
    private List<String> after(String file, String text, String replacement) throws Exception {
        Path older = OlderSpi.jar(sources, Files.createDirectory(work.resolve("older")));
        Path f = sources.resolve("org/backplane/kvm/spi/device").resolve(file);
        String before = Files.readString(f);
        assertFalse(before.indexOf(text) < 0, () -> file + " has no " + text);
        Files.writeString(f, before.replace(text, replacement));
        return mismatches(OlderSpi.jar(sources, Files.createDirectory(work.resolve("newer"))), older);
    }

    @Test
    void newMethodOfTheBoardIsAMinorChange() throws Exception {
        assertEquals(
                List.of("org.backplane.kvm.spi.device has MINOR changes and needs version 1.1.0, not 1.0.0"),
                after("DeviceContext.java", "String slot();", "String slot(); String room();"));
    }

    @Test
    void newMethodThatCardsLackIsAMajorChange() throws Exception {
        assertEquals(
                List.of("org.backplane.kvm.spi.device has MAJOR changes and needs version 2.0.0, not 1.0.0"),
                after("Device.java", "void reset();", "void reset(); void polish();"));
    }

    @Test
    void newMethodThatCardsMayLackIsAMinorChange() throws Exception {
        assertEquals(
                List.of("org.backplane.kvm.spi.device has MINOR changes and needs version 1.1.0, not 1.0.0"),
                after("Device.java", "void reset();", "void reset(); default void polish() {}"));
    }

    @Test
    void removedMethodIsAMajorChange() throws Exception {
        assertEquals(
                List.of("org.backplane.kvm.spi.device has MAJOR changes and needs version 2.0.0, not 1.0.0"),
                after("DeviceContext.java", "void log(String message);", ""));
    }
}
