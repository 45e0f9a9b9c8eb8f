package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.GuestProgram;
import org.backplane.itests.support.Osgi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The way of an interrupt through the whole machine. */
@InContainer
class InterruptIT {
    /** Sends 1000 characters by the transmitter's interrupt, one each, while it does nothing else; then ends with status 1. */
    private static final byte[] SENDER = GuestProgram.multiboot("""
            BC 00 00 1F 00              ; mov esp, 0x1f0000
            BF 20 01 11 00              ; mov edi, 0x110000 + 0x24 * 8
            B8 $interrupt               ; mov eax, interrupt
            66 89 07                    ; mov [edi], ax
            8C 4F 02                    ; mov [edi + 2], cs
            C7 47 04 00 8E 10 00        ; mov dword [edi + 4], 0x0010'8e00
            0F 01 1D $idtr              ; lidt [idtr]
            BE $ports                   ; mov esi, ports
            B9 0B 00 00 00              ; mov ecx, 11
        port:
            66 AD                       ; lodsw
            66 89 C2                    ; mov dx, ax
            AC                          ; lodsb
            EE                          ; out dx, al
            E2 >port                    ; loop port
            B9 E8 03 00 00              ; mov ecx, 1000
            FB                          ; sti
        wait:
            EB >wait                    ; jmp wait

        interrupt:
            66 BA FA 03                 ; mov dx, 0x3fa: the cause, which also ends the request
            EC                          ; in al, dx
            66 BA F8 03                 ; mov dx, 0x3f8
            B0 2E                       ; mov al, '.'
            EE                          ; out dx, al
            B0 20                       ; mov al, 0x20
            E6 20                       ; out 0x20, al
            E2 >more                    ; loop more
            66 BA 01 05                 ; mov dx, 0x501
            B0 00                       ; mov al, 0
            EE                          ; out dx, al
        more:
            CF                          ; iret

        idtr:
            FF 07 00 00 11 00           ; IDT at 0x110000
        ports:
            20 00 11  21 00 20  21 00 04  21 00 01  21 00 EF
            A1 00 FF
            FB 03 03  FC 03 0B  FA 03 00  F9 03 00  F9 03 02
        """);

    /** With one character an interrupt, each interrupt comes while the one before is in service, and is let through by its EOI. */
    @Test
    void anInterruptThatAnEoiLetsThroughComesAtOnce(@TempDir Path directory) throws Exception {
        Path kernel = Files.write(directory.resolve("kernel"), SENDER);
        Machine machine = Osgi.service(Machines.class).create("sender", Map.of(
                "m", List.of("2"),
                "kernel", List.of(kernel.toString()),
                "serial", List.of("file:" + directory.resolve("serial")),
                "device", List.of("isa-debug-exit"),
                "icount", List.of("")));
        try {
            machine.start();
            assertEquals(1, machine.ended().get(20, TimeUnit.SECONDS).status());
            assertEquals(".".repeat(1000), Files.readString(directory.resolve("serial")));
            long instructions = Long.parseLong(machine.stats().get("instructions"));
            assertTrue(instructions < 50 * 1000, "instructions for 1000 interrupts: " + instructions);
        } finally {
            machine.stop();
        }
    }
}
