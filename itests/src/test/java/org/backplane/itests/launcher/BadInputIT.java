// SPDX-License-Identifier: Apache-2.0
package org.backplane.itests.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.backplane.itests.launcher.BackplaneProcess.Result;
import org.backplane.itests.support.GuestProgram;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What makes no sense is one line on standard error that names it, and status 2. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the start script is a shell script")
class BadInputIT {
    private static final byte[] HALT = GuestProgram.multiboot("F4 ; hlt");

    @TempDir
    Path directory;

    private Path kernel;

    @BeforeEach
    void writeKernel() throws IOException {
        kernel = Files.write(directory.resolve("kernel"), HALT);
    }

    private void assertRefused(String message, String... options) throws Exception {
        assertRefused(BackplaneProcess.built(directory), message, options);
    }

    private static void assertRefused(BackplaneProcess backplane, String message, String... options) throws Exception {
        String[] args = new String[options.length + 1];
        args[0] = "run";
        System.arraycopy(options, 0, args, 1, options.length);
        assertEquals(new Result(2, "", "backplane: " + message + "\n"), backplane.run(args), () -> Arrays.toString(args));
    }

    // ---- kernels ----

    @Test
    void aKernelThatIsNotThere() throws Exception {
        Path missing = directory.resolve("missing");
        assertRefused("kernel: no such file: " + missing, "-kernel", missing.toString());
    }

    @Test
    void unrestrictedGuestWithShadowPaging() throws Exception {
        assertRefused(
                "realmode: unrestricted guest needs EPT (SDM 3C 26.2.1.1): with shadow paging VM entry fails with VMfailValid, error 7",
                "-kernel", kernel.toString(), "-mmu", "shadow", "-realmode", "unrestricted");
    }

    @Test
    void anUnknownRealMode() throws Exception {
        assertRefused(
                "realmode: vm86|vm86-2007|emulate|unrestricted, not 'fast'", "-kernel", kernel.toString(), "-realmode", "fast");
    }

    @Test
    void aRealModeEntryThatTheKernelDoesNotHave() throws Exception {
        Result r = BackplaneProcess.built(directory).run("run", "-kernel", kernel.toString(), "-kernel-entry", "16");
        assertOneLine(r, "kernel-entry: " + kernel);
    }

    @Test
    void aFileThatIsNoKernel() throws Exception {
        Path text = Files.writeString(directory.resolve("text"), "Dear reader,\n".repeat(1000));
        assertRefused("kernel: " + text + " is no kernel that can be booted (known: bzimage, multiboot)", "-kernel", text.toString());
    }

    @Test
    void aMultibootElfThatIsCutOff() throws Exception {
        // The program header promises 4096 bytes from 0x100; the file ends before.
        byte[] elf = Elf.multiboot(0x100000, 4096, new byte[] {(byte) 0xf4});
        Path cut = Files.write(directory.resolve("cut"), elf);
        Result r = BackplaneProcess.built(directory).run("run", "-kernel", cut.toString());
        assertOneLine(r, "kernel: " + cut);
        assertTrue(r.err().contains("truncated") || r.err().contains("ends") || r.err().contains("short"), r.err());
    }

    @Test
    void aBzImageThatIsCutOff() throws Exception {
        byte[] head = new byte[1024];
        head[0x1f1] = 4; // setup sectors: they alone are longer than the file
        head[0x1fe] = 0x55;
        head[0x1ff] = (byte) 0xaa;
        System.arraycopy("HdrS".getBytes(StandardCharsets.US_ASCII), 0, head, 0x202, 4);
        head[0x206] = 0x0c;
        head[0x207] = 0x02;
        head[0x211] = 1; // loaded high
        Path cut = Files.write(directory.resolve("cut"), head);
        assertOneLine(BackplaneProcess.built(directory).run("run", "-kernel", cut.toString()), "kernel: " + cut);
    }

    @Test
    void lessMemoryThanTheKernelWants() throws Exception {
        Path far = Files.write(directory.resolve("far"), Elf.multiboot(0x2000000, 1, new byte[] {(byte) 0xf4}));
        assertOneLine(BackplaneProcess.built(directory).run("run", "-m", "16", "-kernel", far.toString()), "kernel: " + far);
        assertRefused("m: memory must be 1M to 64G, not 100K", "-m", "100K", "-kernel", kernel.toString());
        assertRefused("m: 'lots' is not a size (for example 256, 512M, 2G)", "-m", "lots", "-kernel", kernel.toString());
    }

    @Test
    void aStormThatMakesNoSense() throws Exception {
        assertRefused("storm: at least one swap, not 0", "-kernel", kernel.toString(), "-storm", "0");
        assertRefused("storm: 'often' is no number of swaps", "-kernel", kernel.toString(), "-storm", "often");
        Result r = BackplaneProcess.built(directory).run("run", "-kernel", kernel.toString(), "-storm", "5,com9");
        assertOneLine(r, "storm: there is no slot 'com9' (there is: cpu-backend, mmu, emulator, pic, ");
    }

    private static void assertOneLine(Result r, String beginning) {
        assertEquals(2, r.status(), r.err());
        assertEquals("", r.out());
        assertTrue(r.err().startsWith("backplane: " + beginning), r.err());
        assertEquals(1, r.err().lines().count(), r.err());
    }

    // ---- options and devices ----

    @Test
    void anUnknownOption() throws Exception {
        assertRefused("unknown option '-frobnicate' (see backplane run -help)", "-frobnicate", "1");
    }

    @Test
    void anUnknownDevice() throws Exception {
        assertOneLine(
                BackplaneProcess.built(directory).run("run", "-kernel", kernel.toString(), "-device", "teapot"),
                "device: there is no card 'teapot' (there is: ");
    }

    @Test
    void anUnknownProperty() throws Exception {
        assertRefused(
                "device serial: unknown property 'colour' (known: chardev, irq, out2, regs)",
                "-kernel", kernel.toString(), "-device", "serial,regs=0x238,colour=red");
    }

    @Test
    void aPropertyWithAValueThatMakesNoSense() throws Exception {
        assertRefused("device serial: regs=here is not a number", "-kernel", kernel.toString(), "-device", "serial,regs=here");
        assertRefused("device serial: irq=99 is not in 0 to 23", "-kernel", kernel.toString(), "-device", "serial,regs=0x238,irq=99");
    }

    @Test
    void twoDevicesOnOnePort() throws Exception {
        Result r = BackplaneProcess.built(directory).run("run", "-kernel", kernel.toString(), "-device", "serial,id=modem,regs=0x3fc");
        assertOneLine(r, "");
        assertTrue(r.err().contains("modem") && r.err().contains("com1") && r.err().contains("3fc"), r.err());
    }

    // ---- bundles ----

    @Test
    void aBundleThatIsNotThere() throws Exception {
        Path missing = directory.resolve("missing.jar");
        assertRefused("bundle: no such file: " + missing, "-kernel", kernel.toString(), "-bundle", missing.toString());
    }

    @Test
    void aBundleThatIsCorrupt() throws Exception {
        Path garbage = Files.writeString(directory.resolve("garbage.jar"), "this is no archive");
        assertOneLine(
                BackplaneProcess.built(directory).run("run", "-kernel", kernel.toString(), "-bundle", garbage.toString()),
                "bundle: " + garbage);
    }

    @Test
    void aBundleThatLacksWhatItImports() throws Exception {
        Path jar = bundle("needy", "com.example.missing");
        Result r = BackplaneProcess.built(directory).run("run", "-kernel", kernel.toString(), "-bundle", jar.toString());
        assertOneLine(r, "bundle: " + jar);
        assertTrue(r.err().contains("com.example.missing"), r.err());
    }

    private Path bundle(String name, String imports) throws IOException {
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.putValue("Bundle-ManifestVersion", "2");
        main.putValue("Bundle-SymbolicName", name);
        main.putValue("Import-Package", imports);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new JarOutputStream(bytes, manifest).close();
        return Files.write(directory.resolve(name + ".jar"), bytes.toByteArray());
    }

    /** The shell comes up, says which file is no bundle, and works. */
    @Test
    void aCorruptBundleInDeployStopsNothingElse() throws Exception {
        BackplaneProcess backplane = BackplaneProcess.withOwnDirectories(directory);
        Files.writeString(backplane.deploy().resolve("garbage.jar"), "this is no archive");
        Files.move(bundle("needy", "com.example.missing"), backplane.deploy().resolve("needy.jar"));
        Files.move(bundle("good", "org.osgi.framework"), backplane.deploy().resolve("good.jar"));
        Result r = backplane.run("-c", "sleep 2; vm:list; lb good");
        assertEquals(0, r.status(), r.err());
        assertTrue(r.out().contains("no machines"), r.out());
        assertTrue(r.out().lines().anyMatch(l -> l.contains("Active") && l.contains("good")), r.out());
        assertEquals(1, r.err().lines().filter(l -> l.contains("garbage.jar")).count(), r.err());
        assertEquals(1, r.err().lines().filter(l -> l.contains("needy")).count(), r.err());
        assertTrue(r.err().contains("good.jar: good 0.0.0 (bundle "), r.err());
        assertEquals(3, r.err().lines().count(), r.err());
    }

    // ---- machine files ----

    @Test
    void aMachineFileThatIsNotThere() throws Exception {
        BackplaneProcess backplane = BackplaneProcess.withOwnDirectories(directory);
        Files.writeString(backplane.machines().resolve("pc.cfg"), "m = 8\n");
        assertRefused(backplane, "machine: there is no machine 'mainframe' (there is: pc)", "-machine", "mainframe");
    }

    @Test
    void aMachineFileWithABadKeyOrValue() throws Exception {
        BackplaneProcess backplane = BackplaneProcess.withOwnDirectories(directory);
        Path file = Files.writeString(backplane.machines().resolve("pc.cfg"), "memory = 8\n");
        assertRefused(backplane, "machine: " + file.toRealPath() + ": unknown key 'memory'", "-machine", "pc");
        Files.writeString(file, "no-reboot = perhaps\n");
        assertRefused(backplane, "machine: " + file.toRealPath() + ": no-reboot is on or off, not 'perhaps'", "-machine", "pc");
        Files.writeString(file, "m = \\u12\n");
        assertOneLine(backplane.run("run", "-machine", "pc"), "machine: " + file.toRealPath() + " cannot be read: ");
    }
}
