package org.backplane.itests.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import aQute.bnd.osgi.Builder;
import aQute.bnd.osgi.Jar;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.backplane.junit.TestVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.osgi.framework.BundleContext;

/** A card that was compiled against the oldest SPI, and made a bundle by bnd, runs on today's board: registers, interrupt, timer, state. */
class OldCardIT {
    /** Counts ticks of 1 ms while it is on, and has the count and an interrupt for each; written with what SPI 1.0 has. */
    private static final String CARD = """
            package com.example.old;

            import java.util.List;
            import org.backplane.kvm.spi.device.*;
            import org.osgi.framework.*;

            public final class Old implements BundleActivator, DeviceFactory {
                public void start(BundleContext c) { c.registerService(DeviceFactory.class, this, null); }
                public void stop(BundleContext c) {}
                public String type() { return "old"; }
                public String description() { return "made for SPI 1.0"; }
                public List<Resource> resources() { return List.of(Resource.ports("regs", 0x5e0, 4), Resource.irq("irq", 10)); }
                public Device create() { return new Ticker(); }

                private static final class Ticker implements Device, IoHandler {
                    private VmClock clock;
                    private VmTimer timer;
                    private IrqLine irq;
                    private int count;

                    public void attach(DeviceContext c) {
                        clock = c.clock();
                        timer = c.timer("tick", this::tick);
                        irq = c.irq("irq");
                        c.claimPorts("regs", 4, this);
                    }
                    private void tick() {
                        count++;
                        irq.set(true);
                        timer.arm(clock.nanos() + 1_000_000);
                    }
                    public void reset() { count = 0; timer.cancel(); irq.set(false); }
                    public void save(CardState s) { s.put("count", count); }
                    public void load(CardState s) throws StateException { count = s.getInt("count", 0); }
                    public long read(int vcpu, long offset, int size) { return count; }
                    public void write(int vcpu, long offset, int size, long value) {
                        irq.set(false);
                        if (value == 0) timer.cancel();
                        else tick();
                    }
                }
            }
            """;

    @RegisterExtension
    static final TestVm vm = TestVm.builder().card(bundle()).device("old").build();

    private static Path bundle() {
        try {
            Path work = Path.of("target", "old-card").toAbsolutePath();
            if (Files.exists(work)) {
                try (Stream<Path> all = Files.walk(work)) {
                    for (Path p : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(p);
                }
            }
            Path classes = Files.createDirectories(work.resolve("classes"));
            Path spi = OlderSpi.jar(OlderSpi.all().getFirst(), work);
            Path source = Files.writeString(work.resolve("Old.java"), CARD);
            OlderSpi.compile(List.of(source), classes, spi, OlderSpi.onClassPath(BundleContext.class));
            Path bundle = work.resolve("old-card.jar");
            try (Builder bnd = new Builder()) {
                bnd.addClasspath(spi.toFile());
                bnd.addClasspath(classes.toFile());
                bnd.setProperty("Bundle-SymbolicName", "com.example.old");
                bnd.setProperty("Bundle-Version", "1.0.0");
                bnd.setProperty("Bundle-Activator", "com.example.old.Old");
                bnd.setProperty("Private-Package", "com.example.old");
                try (Jar jar = bnd.build()) {
                    String imports = jar.getManifest().getMainAttributes().getValue("Import-Package");
                    assertTrue(imports.contains("org.backplane.kvm.spi.device;version=\"[1.0,2)\""), imports);
                    jar.write(bundle.toFile());
                }
            } catch (IOException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            return bundle;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void runsOnTodaysBoardAndKeepsItsStateThroughAnUpdate() {
        vm.probe().out32(0x5e0, 1);
        vm.probe().awaitInterrupt(10);
        vm.probe().out32(0x5e0, 0);
        long count = vm.probe().in32(0x5e0);
        assertTrue(count > 0);
        vm.updateCards();
        assertEquals(count, vm.probe().in32(0x5e0));
    }
}
