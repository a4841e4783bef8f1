' Saves the state of a virtual machine and stops it.
Option Explicit

Dim objVS, objVM, objTask

If WScript.Arguments.Count <> 1 Then
    WScript.Echo "usage: " & WScript.ScriptName & " NAME"
    WScript.Quit 2
End If

Set objVS = CreateObject("VirtualServer.Application")
Set objVM = objVS.FindVirtualMachine(WScript.Arguments(0))
If objVM Is Nothing Then
    WScript.Echo "There is no virtual machine " & WScript.Arguments(0)
    WScript.Quit 1
End If

On Error Resume Next
Set objTask = objVM.Save
objTask.WaitForCompletion -1

If Err.Number <> 0 Then
    WScript.Echo objVM.Name & ": error " & Err.Number & ": " & Err.Description
    WScript.Quit 1
ElseIf objTask.Result <> 0 Then ' vmTaskResult_Success
    WScript.Echo objVM.Name & ": the task has ended with " & objTask.Result
    WScript.Quit 1
End If
WScript.Echo objVM.Name & " is saved, its state is " & objVM.State
