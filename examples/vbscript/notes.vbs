' The notes on every virtual machine; with arguments, a new note on one.
Set objVS = CreateObject("VirtualServer.Application")

If WScript.Arguments.Count = 2 Then
    Set objVM = objVS.FindVirtualMachine(WScript.Arguments.Item(0))
    If objVM Is Nothing Then
        WScript.Echo "There is no virtual machine " & WScript.Arguments.Item(0)
        WScript.Quit 1
    End If
    objVM.Notes = WScript.Arguments.Item(1)
End If

For Each objVM In objVS.VirtualMachines
    If objVM.Notes = "" Then
        WScript.Echo objVM.Name & vbTab & "(none)"
    Else
        WScript.Echo objVM.Name & vbTab & objVM.Notes
    End If
Next
